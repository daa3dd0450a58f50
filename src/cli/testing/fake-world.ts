/** A World of twins: what a command's body sees when everything is there. */
import { parseConfig } from "../../config/read.ts";
import { FencedBucket } from "../../inventory/fenced-bucket.ts";
import { clusterUid } from "../../inventory/identity.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import { realWorld } from "../../systems/kubernetes/testing/world.ts";
import { MemoryBucket } from "../../systems/s3/memory.ts";
import type { CliContext } from "../cli-context.ts";
import type { World } from "../world.ts";
import { type FakeContext, fakeContext, type FakeTerminal } from "./fake-context.ts";

const configText = `
version: 1
bucket: { endpoint: "https://nas.lab:9000", name: backups, prefix: velero, credentials: { file: keys } }
repository: { password: { file: password } }
holdfast: { cluster: home }
`;

export interface FakeWorld {
  readonly world: World;
  readonly cli: CliContext;
  readonly context: FakeContext;
  readonly kubernetes: MemoryKubernetes;
  readonly store: MemoryBucket;
  /** The exit status that the command has set. */
  status(): number | undefined;
}

/** `part` replaces what a test plays differently; the same `store` may be given to several worlds. */
export const fakeWorld = (
  terminal: FakeTerminal = {},
  options: { readonly store?: MemoryBucket; readonly part?: Partial<World> } = {},
): FakeWorld => {
  const context = fakeContext(terminal);
  const kubernetes = new MemoryKubernetes({ ...realWorld, clock: context.clock });
  const store = options.store ?? new MemoryBucket(context.clock);
  const config = parseConfig(configText, "holdfast.yaml");
  const notPlayed = (what: string) => async (): Promise<never> => {
    throw new Error(`no ${what} in this test`);
  };
  const self = async () => ({ uid: await clusterUid(kubernetes), name: "home", holdfast: "0.1.0" });
  const world: World = {
    context,
    loaded: { config, file: "/etc/holdfast.yaml", path: (name) => `/etc/${name}` },
    kubernetes: async () => kubernetes,
    bucketWithoutFence: async () => store,
    bucket: async () => new FencedBucket(store, { cluster: "home", self, clock: context.clock }),
    self,
    points: async () => ({ bucket: await world.bucket(), prefix: "velero/", cluster: "home" }),
    nas: notPlayed("NAS"),
    nasRemover: notPlayed("NAS' remover"),
    close: async () => undefined,
    agents: notPlayed("agents"),
    store: () => ({
      endpoint: "https://nas.lab:9000",
      bucket: "backups",
      region: "",
      prefix: "velero/",
      privateCa: false,
    }),
    password: notPlayed("password"),
    secrets: notPlayed("secrets"),
    ...options.part,
  };
  let status: number | undefined;
  const process = { stdout: context.stdout, stderr: context.stderr };
  const cli: CliContext = { process, context, setExitStatus: (value) => void (status = value) };
  return { world, cli, context, kubernetes, store, status: () => status };
};
