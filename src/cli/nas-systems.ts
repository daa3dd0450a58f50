/** Opens a NAS, with the credential that reads and makes, or with the one that removes. */
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";
import type { Nas, NasRemover } from "../systems/nas/port.ts";
import type { Shell } from "../systems/nas/zfs/shell.ts";

/** What it takes to reach a NAS: the section `nas` of holdfast.yaml with its secrets read, or the one of a kit. */
export interface NasAccess {
  readonly kind: "truenas" | "zfs-ssh";
  readonly url: string;
  readonly user: string;
  /** API key; for ssh the private key. */
  readonly key: string;
  readonly remover?: { readonly user: string; readonly key: string } | undefined;
  /** PEM text. */
  readonly ca?: string | undefined;
  readonly hostKey?: string | undefined;
  readonly parents: readonly string[];
}

interface Credential {
  readonly user: string;
  readonly key: string;
}

const sshPort = 22;

const openShell = async ({ clock }: Context, access: NasAccess, { user, key }: Credential): Promise<Shell> => {
  const { SshShell } = await import("../systems/nas/zfs/ssh.ts");
  const { hostname: host, port } = new URL(access.url);
  const reached = { host, port: port === "" ? sshPort : Number(port), user, privateKey: key, hostKey: access.hostKey };
  return new SshShell(reached, clock);
};

const trueNasOptions = ({ clock }: Context, { url, ca }: NasAccess, { user, key }: Credential) => ({
  url,
  user,
  apiKey: key.trim(),
  ...(ca === undefined ? {} : { ca }),
  clock,
  // Going back after Ctrl-C needs the NAS too.
  signal: new AbortController().signal,
});

/** Throws NAS_* Failures. */
export const openNas = async (context: Context, access: NasAccess): Promise<Nas> => {
  if (access.kind === "zfs-ssh") {
    const { ZfsNas } = await import("../systems/nas/zfs/nas.ts");
    return new ZfsNas(await openShell(context, access, access), { parents: access.parents });
  }
  const { openTrueNas } = await import("../systems/nas/truenas/open.ts");
  return openTrueNas(trueNasOptions(context, access, access));
};

/** Throws NAS_UNSUPPORTED when nobody is named who may remove, and other NAS_* Failures. */
export const openNasRemover = async (context: Context, access: NasAccess): Promise<NasRemover> => {
  const { kind, remover, parents } = access;
  if (remover === undefined)
    throw new Failure("NAS_UNSUPPORTED", {
      what: "Nothing is removed from the NAS: holdfast.yaml names nobody who may.",
      todo: "Set nas.remover in it; docs/nas/ says which rights that user needs.",
    });
  if (kind === "zfs-ssh") {
    const { ZfsRemover } = await import("../systems/nas/zfs/remover.ts");
    return new ZfsRemover(await openShell(context, access, remover), { parents });
  }
  const { openTrueNasRemover } = await import("../systems/nas/truenas/open.ts");
  return openTrueNasRemover(trueNasOptions(context, access, remover));
};
