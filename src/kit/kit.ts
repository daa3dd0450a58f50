/** The kit: what must survive outside the cluster to reach its backups again (design §10). A JSON document, sealed with age. */
import { z } from "zod";
import { Failure } from "../model/failure.ts";

const nasSchema = z.object({
  kind: z.enum(["truenas", "zfs-ssh"]),
  url: z.string(),
  user: z.string(),
  /** API key; for ssh the private key. */
  key: z.string(),
  remover: z.object({ user: z.string(), key: z.string() }).optional(),
  /** PEM text. */
  ca: z.string().optional(),
  hostKey: z.string().optional(),
  parents: z.array(z.string()),
});

const kitSchema = z.object({
  kind: z.literal("holdfast-kit"),
  version: z.literal(1),
  /** ISO 8601, UTC. */
  made: z.iso.datetime(),
  cluster: z.object({
    /** holdfast.cluster of holdfast.yaml: the name in the bucket. */
    name: z.string().min(1),
    /** Of the namespace kube-system; absent when the cluster did not answer. */
    uid: z.string().optional(),
  }),
  versions: z.object({ holdfast: z.string(), kubernetes: z.string().optional(), velero: z.string().optional() }),
  bucket: z.object({
    endpoint: z.url({ protocol: /^https?$/ }),
    name: z.string().min(1),
    region: z.string().min(1),
    /** As in holdfast.yaml. */
    prefix: z.string(),
    /** PEM text. */
    ca: z.string().optional(),
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
  }),
  repository: z.object({ password: z.string().min(1) }),
  nas: nasSchema.optional(),
  /** A holdfast.yaml that works with what is in here: its secrets come from environment variables. */
  holdfastYaml: z.string(),
  /** What to type, in plain words. */
  runbook: z.string(),
});

export type Kit = z.output<typeof kitSchema>;
export type KitBucket = Kit["bucket"];
export type KitNas = z.output<typeof nasSchema>;

const anyVersion = z.looseObject({ kind: z.literal("holdfast-kit"), version: z.number() });

/** The document as text, as it is sealed. */
export const kitText = (kit: Kit): string => `${JSON.stringify(kit, undefined, 2)}\n`;

/**
 * Reads an opened kit. Throws KIT_TOO_NEW, or KIT_UNREADABLE when it is no kit or lacks something; the reasons name
 * fields and never show what is in them.
 */
export const parseKit = (text: string): Kit => {
  const document = jsonOf(text);
  const { success, data } = anyVersion.safeParse(document);
  if (!success) throw unreadable("what was sealed in it is no kit of Holdfast");
  if (data.version > 1) {
    throw new Failure("KIT_TOO_NEW", {
      what: `The kit has the form ${data.version}; this Holdfast knows form 1.`,
    });
  }
  const kit = kitSchema.safeParse(document);
  if (kit.success) return kit.data;
  const fields = kit.error.issues.map((issue) => issue.path.join("."));
  throw unreadable(`missing or not usable in it: ${[...new Set(fields)].join(", ")}`);
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which is secret; and there is no other way in which it fails.
    return undefined;
  }
};

const unreadable = (why: string): Failure =>
  new Failure("KIT_UNREADABLE", {
    what: "The file opens, but it is not a whole kit.",
    why,
    todo: "Take another copy of the kit, or make a new one: `holdfast kit create`.",
  });

/** Stands for what is not shown. */
const hidden = "(hidden)";

/** The same kit with every secret replaced: what may be shown. */
export const withoutSecrets = (kit: Kit): Kit => ({
  ...kit,
  bucket: { ...kit.bucket, secretAccessKey: hidden },
  repository: { password: hidden },
  ...(kit.nas === undefined ? {} : { nas: nasWithoutSecrets(kit.nas) }),
});

const nasWithoutSecrets = (nas: KitNas): KitNas => ({
  ...nas,
  key: hidden,
  ...(nas.remover === undefined ? {} : { remover: { ...nas.remover, key: hidden } }),
});
