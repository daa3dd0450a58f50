/**
 * The product's adapter on the stand-in with real ZFS behind it, as each release, over TLS, with the rights that
 * docs/nas/truenas.md asks for.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeNas } from "../../../src/systems/nas/conformance.ts";
import type { NasSubject, NewDataset, Somebody } from "../../../src/systems/nas/conformance-bench.ts";
import { openTrueNas, openTrueNasRemover, type TrueNasOptions } from "../../../src/systems/nas/truenas/open.ts";
import { makeAuthority } from "../../../src/systems/kubernetes/testing/certificates.ts";
import { realWorld } from "../../../src/systems/kubernetes/testing/world.ts";
import { execBehind, output } from "../../zfs/exec.ts";
import type { StandInConfigInput } from "./config.ts";
import { TestClient } from "./testing/client.ts";
import { openTestSite, testKey, type TestSite } from "./testing/site.ts";

const allowed = (...entries: readonly string[]): { readonly method: string; readonly resource: string }[] =>
  entries.map((entry) => {
    const [method = "", resource = ""] = entry.split(" ");
    return { method, resource };
  });

/** Of a key of 24.10. */
const routineList = allowed(
  "GET *",
  "POST /zfs/snapshot",
  "POST /zfs/snapshot/clone",
  "PUT /pool/dataset/id/*",
  "POST /pool/dataset/id/*/promote",
  ...["/sharing/nfs", "/iscsi/target", "/iscsi/extent", "/iscsi/targetextent"].flatMap((table) => [
    `POST ${table}`,
    `DELETE ${table}/id/*`,
  ]),
);
const removerList = allowed("GET *", "DELETE /zfs/snapshot/id/*", "DELETE /pool/dataset/id/*");

const usersOf = (version: string): StandInConfigInput["users"] => {
  const isOld = version.startsWith("24.10");
  const routine = [
    "READONLY_ADMIN",
    "SNAPSHOT_WRITE",
    "DATASET_WRITE",
    "SHARING_NFS_WRITE",
    "SHARING_ISCSI_EXTENT_WRITE",
    "SHARING_ISCSI_TARGET_WRITE",
    "SHARING_ISCSI_TARGETEXTENT_WRITE",
    // Until 25.04 no other role may clone.
    ...(version.startsWith("25.04") ? ["FULL_ADMIN"] : []),
  ] as StandInConfigInput["users"][number]["roles"];
  return [
    { username: "admin", roles: ["FULL_ADMIN"], keys: [{ key: testKey(1) }] },
    { username: "holdfast", roles: routine, keys: [{ key: testKey(2), ...(isOld ? { allow: routineList } : {}) }] },
    {
      username: "remover",
      roles: ["READONLY_ADMIN", "SNAPSHOT_DELETE", "DATASET_DELETE"],
      keys: [{ key: testKey(3), ...(isOld ? { allow: removerList } : {}) }],
    },
  ];
};

const tellsGuids = (version: string): boolean => !/^(?:24\.10|25\.04)/.test(version);

const second = (): number => Math.floor(Date.now() / 1000);

/** Of each name, the second in which it had been made. */
const lastMade = new Map<string, number>();

/** Two datasets of one name in one second cannot be told apart where TrueNAS tells no GUID: docs/nas/truenas.md. */
const inItsOwnSecond = async (name: string, make: () => Promise<unknown>): Promise<void> => {
  while (lastMade.get(name) === second()) await sleep(50);
  await make();
  // Only now: it may have been made in a later second than the one in which that was asked for.
  lastMade.set(name, second());
};

/** Keeps a process in the dataset's directory until its standard input ends. */
const useOf = async ({ inside }: TestSite, dataset: string): Promise<() => Promise<void>> => {
  const words = [...inside.slice(1), "sh", "-c", `cd '/mnt/${dataset}' && echo in && read end`];
  const child = spawn(inside[0]!, words, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return async () => {
    child.stdin.end();
    await once(child, "exit");
  };
};

const somebodyOn = (site: TestSite, admin: TestClient, version: string): Somebody => {
  const exec = execBehind([...site.inside]);
  const zfs = (...words: readonly string[]): Promise<string> => output(exec, "zfs", words);
  const create = async (name: string, { volsize, properties = {} }: NewDataset = {}): Promise<void> => {
    const user_properties = Object.entries(properties).map(([key, value]) => ({ key, value }));
    const kind = volsize === undefined ? { type: "FILESYSTEM" } : { type: "VOLUME", volsize, sparse: true };
    const make = () => admin.call("pool.dataset.create", { name, user_properties, ...kind });
    await (tellsGuids(version) ? make() : inItsOwnSecond(name, make));
  };
  return {
    create,
    write: async (dataset, text) =>
      void (await output(exec, "sh", ["-c", `printf %s '${text}' > '/mnt/${dataset}/text'`])),
    read: (dataset) => output(exec, "cat", [`/mnt/${dataset}/text`]),
    hold: async (snapshot) => void (await zfs("hold", "somebody", snapshot)),
    release: async (snapshot) => void (await zfs("release", "somebody", snapshot)),
    use: (dataset) => useOf(site, dataset),
  };
};

const subjectAs = async (version: string): Promise<NasSubject> => {
  const site = await openTestSite();
  const authority = await makeAuthority();
  const pair = await authority.sign("nas", "IP:127.0.0.1");
  await authority.close();
  const files = { certFile: join(site.dir, `${version}.crt`), keyFile: join(site.dir, `${version}.key`) };
  writeFileSync(files.certFile, pair.cert);
  writeFileSync(files.keyFile, pair.key);
  const users = usersOf(version);
  const standIn = await site.start(version, { https: { host: "127.0.0.1", port: 0, ...files }, users });
  // What somebody does is done by a TrueNAS of one release, whatever the one under test is.
  const others = await site.start("25.10.1", { users });
  const admin = await TestClient.loggedIn(`ws://127.0.0.1:${others.http?.port}/api/current`, "admin", testKey(1));
  const parent = "tank/suite";
  await admin.call("pool.dataset.create", { name: parent, type: "FILESYSTEM" });
  const options = (user: string, key: number): TrueNasOptions => ({
    url: `${version.startsWith("24.10") ? "https" : "wss"}://127.0.0.1:${standIn.https?.port}`,
    user,
    apiKey: testKey(key),
    ca: authority.ca,
    clock: realWorld.clock,
    signal: new AbortController().signal,
    timeout: 30_000,
  });
  const nas = await openTrueNas(options("holdfast", 2));
  const remover = await openTrueNasRemover(options("remover", 3));
  const groups = [{ portal: 1, initiator: 1, authmethod: "NONE", auth: null }];
  const setSessions = async (sessions: readonly object[]): Promise<void> => {
    const body = JSON.stringify(sessions);
    await fetch(`http://127.0.0.1:${standIn.http?.port}/lab/sessions`, { method: "PUT", body });
  };
  return {
    nas,
    remover,
    somebody: somebodyOn(site, admin, version),
    parent,
    volumes: true,
    smallestQuota: 1024 ** 3,
    exports: {
      nfs: {
        id: 1,
        path: "/mnt/tank/pattern",
        enabled: true,
        comment: "ours",
        settings: { hosts: ["10.0.0.11"], ro: false, maproot_user: "root", maproot_group: "wheel" },
      },
      iscsi: {
        target: { id: 1, name: "pattern", alias: undefined, groups },
        extent: { id: 1, name: "pattern", disk: "zvol/p", enabled: true, settings: { blocksize: 512, rpm: "SSD" } },
        logIn: async (target, initiator) => {
          const { iqnBase = "" } = await nas.exports();
          await setSessions([{ initiator, initiator_addr: "10.0.0.11", target: `${iqnBase}:${target}` }]);
          return () => setSessions([]);
        },
      },
    },
    close: async () => {
      admin.close();
      await Promise.all([nas.close(), remover.close()]);
      await site.close();
    },
  };
};

for (const version of ["24.10.2", "25.04.2", "25.10.1", "26.0.0"])
  describeNas(`TrueNAS ${version} (stand-in)`, () => subjectAs(version));
