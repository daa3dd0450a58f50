/** `holdfast kit check FILE`: opens it, uses what is in it and nothing else, and records that in the bucket. */
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import type { Context } from "../context.ts";
import { kitEvidenceKey, writeKitEvidence } from "../kit/evidence.ts";
import type { Kit, KitBucket } from "../kit/kit.ts";
import { evidenceOf, type KitDoors, type OpenNas, type Proof, proveKit } from "../kit/prove.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { formatAge } from "../model/units.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import { printAnswer } from "./answer.ts";
import { worldlessBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import type { OutputFormat } from "./flags.ts";
import { readKitFile } from "./kit-files.ts";
import { type OpeningFlags, openKit } from "./kit-key.ts";

export interface CheckFlags extends OpeningFlags {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** What a check opens; tests give their own. */
export interface Openers {
  bucket(access: KitBucket): Promise<Bucket>;
  /** Without it the check says that it did not try. */
  nas?(context: Context): OpenNas;
}

/** Logs in with every credential that the kit has, and asks one thing. */
const useNas =
  (context: Context): OpenNas =>
  async (access) => {
    const { openNas, openNasRemover } = await import("./nas-systems.ts");
    const nas = await openNas(context, access);
    try {
      await nas.describe();
      await nas.pools();
    } finally {
      await nas.close();
    }
    if (access.remover === undefined) return;
    const remover = await openNasRemover(context, access);
    try {
      await remover.rights();
    } finally {
      await remover.close();
    }
  };

const realOpeners: Openers = {
  nas: useNas,
  bucket: async ({ name, ca, ...access }) => {
    const { AwsBucket } = await import("../systems/s3/aws.ts");
    const { endpoint, region, accessKeyId, secretAccessKey } = access;
    return new AwsBucket({
      endpoint,
      region,
      accessKeyId,
      secretAccessKey,
      bucket: name,
      ...(ca === undefined ? {} : { ca }),
    });
  },
};

/** Kubernetes puts this into the environment of every container. */
const runsInPod = ({ env }: Context): boolean => env.KUBERNETES_SERVICE_HOST !== undefined;

/** The command with other openers than the real ones, for tests. */
export const checkWith = (openers: Openers) =>
  worldlessBody<CheckFlags, [string]>(async (cli, flags, name) => {
    const { context } = cli;
    const file = await readKitFile(context, name);
    const kit = await openKit(context, file, flags);
    const loaded = await configIfAny(context, flags.config);
    if (loaded !== undefined) requireSameCluster(kit, loaded);
    const bucket = await openers.bucket(kit.bucket);
    const doors: KitDoors = { bucket, ...(openers.nas === undefined ? {} : { openNas: openers.nas(context) }) };
    const proof = await proveKit(kit, doors);
    const outside = !runsInPod(context);
    const now = context.clock.now();
    const evidence = await evidenceOf(kit, proof, { file, now, salt: context.randomId(32), outside });
    const recorded = await writeKitEvidence(bucket, evidence);
    await report(cli, flags, { kit, proof, outside, recorded, now });
  });

export const checkKit = checkWith(realOpeners);

const configIfAny = async (context: Context, flag: string | undefined): Promise<LoadedConfig | undefined> => {
  try {
    return await loadConfig(context, flag);
  } catch (error) {
    const named = flag !== undefined || (context.env.HOLDFAST_CONFIG ?? "") !== "";
    if (isFailure(error, "CONFIG_MISSING") && !named) return undefined;
    throw error;
  }
};

/** Throws KIT_OTHER_CLUSTER or KIT_OUTDATED. */
const requireSameCluster = (kit: Kit, { config, file }: LoadedConfig): void => {
  if (kit.cluster.name !== config.holdfast.cluster) {
    throw new Failure("KIT_OTHER_CLUSTER", {
      what: `The kit belongs to the cluster "${kit.cluster.name}", and ${file} to "${config.holdfast.cluster}".`,
    });
  }
  const theirs = `${kit.bucket.name}/${normalPrefix(kit.bucket.prefix)}`;
  const ours = `${config.bucket.name}/${normalPrefix(config.bucket.prefix)}`;
  if (theirs === ours) return;
  throw new Failure("KIT_OUTDATED", {
    what: `The kit opens the bucket ${theirs}, and ${file} names ${ours}.`,
  });
};

interface Checked {
  readonly kit: Kit;
  readonly proof: Proof;
  readonly outside: boolean;
  readonly recorded: boolean;
  /** ms since 1970. */
  readonly now: number;
}

const nasTexts: Readonly<Record<Proof["nas"], string>> = {
  opened: "logged in",
  "not checked": "NOT CHECKED: this Holdfast cannot log in to it yet",
  none: "the kit has none",
};

const verdictText = ({ kit, outside, recorded }: Checked): string => {
  if (!outside && !recorded)
    return "This ran in a pod of a cluster, which proves less than the check from outside that is recorded already: that stays.";
  const place = `Recorded as ${kitEvidenceKey(kit.cluster.name)} in the bucket.`;
  return outside
    ? `The kit of the cluster "${kit.cluster.name}" opens its backups. ${place}`
    : `It works, but this ran in a pod of a cluster: \`holdfast status\` stays red until a machine outside has checked it. ${place}`;
};

const report = async (cli: CliContext, flags: CheckFlags, checked: Checked): Promise<void> => {
  const { kit, proof, outside, recorded, now } = checked;
  const { repositories, backup, nas } = proof;
  const age = formatAge(Math.max(0, now - backup.started));
  const parts = [
    ["bucket", `${kit.bucket.endpoint}/${kit.bucket.name}`],
    ["repositories", `${repositories.length} opened: ${repositories.join(", ")}`],
    ["backup", `${backup.backup}, ${age} old, ${backup.copies.length} copies`],
    ["nas", nasTexts[nas]],
  ] as const;
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      cluster: kit.cluster,
      made: kit.made,
      time: new Date(now).toISOString(),
      repositories,
      backup: backup.backup,
      nas,
      outside,
      recorded,
    },
    heads: ["PART", "FOUND"],
    rows: parts,
    names: parts.map(([part]) => part),
    footer: verdictText(checked),
    empty: "",
  });
  if (!outside) cli.setExitStatus(4);
};
