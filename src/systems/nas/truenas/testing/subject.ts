/** An adapter on a scripted TrueNAS, ready for tests. */
import type { Clock } from "../../../../context.ts";
import { makeAuthority, type Pair } from "../../../kubernetes/testing/certificates.ts";
import { realWorld } from "../../../kubernetes/testing/world.ts";
import type { NasSubject } from "../../conformance-bench.ts";
import type { Nas, NasRemover } from "../../port.ts";
import { pauses } from "../network.ts";
import { openTrueNas, openTrueNasRemover, type TrueNasOptions } from "../open.ts";
import { smallestQuota } from "./middleware.ts";
import { TrueNasServer } from "./truenas-server.ts";

/** The releases, and the scheme of the address that a user would write. */
export const releases: readonly (readonly [version: string, scheme: "wss" | "https"])[] = [
  ["TrueNAS-SCALE-24.10.2", "https"],
  ["TrueNAS-25.04.2", "wss"],
  ["TrueNAS-25.10.1", "wss"],
  ["TrueNAS-26.0.0", "wss"],
];

export interface Bench {
  readonly server: TrueNasServer;
  readonly options: TrueNasOptions;
  nas(): Promise<Nas>;
  remover(): Promise<NasRemover>;
  close(): Promise<void>;
}

/** Real time, without the pauses between tries. */
const impatient: Clock = {
  now: () => realWorld.clock.now(),
  sleep: (milliseconds, signal) => realWorld.clock.sleep(pauses.includes(milliseconds) ? 1 : milliseconds, signal),
};

/** One certificate for all benches of a test file: making it takes longer than most tests. */
let certified: Promise<Pair & { readonly ca: string }> | undefined;
const certify = async (): Promise<Pair & { readonly ca: string }> => {
  const authority = await makeAuthority();
  const pair = await authority.sign("nas", "IP:127.0.0.1");
  await authority.close();
  return { ...pair, ca: authority.ca };
};

export const startBench = async (
  version: string,
  scheme: "wss" | "https",
  change: Partial<TrueNasOptions> = {},
): Promise<Bench> => {
  const { ca, ...pair } = await (certified ??= certify());
  const server = await TrueNasServer.start(version, pair);
  const { zfs } = server.middleware;
  zfs.create("tank/k8s");
  const options: TrueNasOptions = {
    url: `${scheme}://${server.host}`,
    user: "holdfast",
    apiKey: server.key,
    ca,
    clock: impatient,
    signal: new AbortController().signal,
    timeout: 5000,
    ...change,
  };
  const opened: (Nas | NasRemover)[] = [];
  const kept = async <T extends Nas | NasRemover>(opening: Promise<T>): Promise<T> => {
    const one = await opening;
    opened.push(one);
    return one;
  };
  return {
    server,
    options,
    nas: () => kept(openTrueNas(options)),
    remover: () => kept(openTrueNasRemover(options)),
    close: async () => {
      for (const one of opened) await one.close();
      await server.close();
    },
  };
};

/** What the conformance suite speaks to. */
export const subjectOf = async (bench: Bench): Promise<NasSubject> => {
  const { middleware } = bench.server;
  const { zfs } = middleware;
  const pattern = { id: 1000, name: "pattern", alias: null, groups: [{ portal: 1, initiator: 2 }], auth_networks: [] };
  middleware.table("iscsi.target").push(pattern);
  return {
    nas: await bench.nas(),
    remover: await bench.remover(),
    parent: "tank/k8s",
    volumes: true,
    smallestQuota,
    exports: {
      nfs: { id: 1, path: "/mnt/p", enabled: true, comment: "ours", settings: { hosts: ["a"], maproot_user: "root" } },
      iscsi: {
        target: { ...pattern, alias: undefined },
        extent: { id: 1, name: "p", disk: "zvol/p", enabled: true, settings: { blocksize: 512, naa: "0x1" } },
        logIn: async (name, initiator) => {
          const logOut = zfs.network.logIn(name, initiator);
          return async () => logOut();
        },
      },
    },
    somebody: {
      create: async (name, { volsize, properties = {} } = {}) =>
        void zfs.create(name, { properties, ...(volsize === undefined ? {} : { kind: "volume", volsize }) }),
      write: async (name, text) => zfs.write(name, text),
      read: async (name) => zfs.content(name),
      hold: async (name) => zfs.hold(name),
      release: async (name) => zfs.release(name),
      use: async (name) => {
        const leave = zfs.use(name);
        return async () => leave();
      },
    },
    close: () => bench.close(),
  };
};
