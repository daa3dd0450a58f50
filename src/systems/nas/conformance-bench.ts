/** What every part of the NAS' conformance suite stands on. */
import { isFailure } from "../../model/failure.ts";
import type { Dataset, Identity, IscsiExtent, IscsiTarget, Nas, NasRemover, NfsShare } from "./port.ts";

/** What somebody else does to the NAS, for what the port itself cannot do. */
export interface Somebody {
  /** Makes a dataset; its parent exists. */
  create(name: string, options?: NewDataset): Promise<void>;
  /** Writes into a mounted filesystem. */
  write(dataset: string, text: string): Promise<void>;
  /** What `write` wrote last. */
  read(dataset: string): Promise<string>;
  hold(snapshot: string): Promise<void>;
  release(snapshot: string): Promise<void>;
  /** Keeps a mounted filesystem in use until the function that this gives is called. */
  use(dataset: string): Promise<() => Promise<void>>;
}

export interface NewDataset {
  /** Of a volume; a filesystem without it. */
  readonly volsize?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

/** What new exports are made like, as they are on the NAS, and how an initiator comes in. */
export interface ExportPatterns {
  readonly nfs?: NfsShare;
  readonly iscsi?: {
    readonly target: IscsiTarget;
    readonly extent: IscsiExtent;
    /** Logs in to the target with this name, until the function that it gives is called. */
    logIn(target: string, initiator: string): Promise<() => Promise<void>>;
  };
}

/** What the suite speaks to. */
export interface NasSubject {
  readonly nas: Nas;
  readonly remover: NasRemover;
  readonly somebody: Somebody;
  /** An empty filesystem, where the suite makes everything; what is left there is the subject's to remove. */
  readonly parent: string;
  /** The smallest quota that the NAS lets an existing dataset have, in bytes; 1 MiB by default. */
  readonly smallestQuota?: number;
  /** Whether `create` can make volumes. */
  readonly volumes: boolean;
  /** What new exports are made like; absent where the NAS has none. */
  readonly exports?: ExportPatterns;
  close(): Promise<void>;
}

/** What a part of the suite works with: the subject, and a dataset of its own for each test. */
export interface Bench {
  readonly subject: NasSubject;
  readonly root: string;
}

export const MiB = 1024 * 1024;

/** A quota that the NAS takes, in bytes. */
export const quotaOf = ({ smallestQuota = MiB }: NasSubject): number => Math.max(64 * MiB, smallestQuota);

/** The code that a call fails with; "done" when it succeeds. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "done";
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
};

export const identityOf = ({ name, guid, createtxg }: Identity): Identity => ({ name, guid, createtxg });

/** Throws when it is not there. */
export const present = async (nas: Nas, name: string): Promise<Dataset> => {
  const found = await nas.dataset(name);
  if (found === undefined) throw new Error(`"${name}" is not there`);
  return found;
};
