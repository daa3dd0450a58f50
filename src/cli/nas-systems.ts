/** Opens the NAS that holdfast.yaml names, with the credential that reads and makes, or with the one that removes. */
import type { NasKeys } from "../config/secrets.ts";
import type { Config } from "../config/schema.ts";
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";
import type { Nas, NasRemover } from "../systems/nas/port.ts";
import type { Shell } from "../systems/nas/zfs/shell.ts";

type NasConfig = NonNullable<Config["nas"]>;

export interface NasAccess {
  readonly context: Context;
  readonly config: NasConfig;
  readonly keys: NasKeys;
  /** PEM text. */
  readonly ca: string | undefined;
}

const sshPort = 22;

const openShell = async ({ context, config }: NasAccess, user: string, privateKey: string): Promise<Shell> => {
  const { SshShell } = await import("../systems/nas/zfs/ssh.ts");
  const { hostname, port } = new URL(config.url);
  const access = {
    host: hostname,
    port: port === "" ? sshPort : Number(port),
    user,
    privateKey,
    hostKey: config.hostKey,
  };
  return new SshShell(access, context.clock);
};

const trueNasOptions = ({ context, config, ca }: NasAccess, user: string, apiKey: string) => ({
  url: config.url,
  user,
  apiKey: apiKey.trim(),
  ...(ca === undefined ? {} : { ca }),
  clock: context.clock,
  signal: new AbortController().signal,
});

/** Throws NAS_* Failures. */
export const openNas = async (access: NasAccess): Promise<Nas> => {
  const { config, keys } = access;
  if (config.kind === "zfs-ssh") {
    const { ZfsNas } = await import("../systems/nas/zfs/nas.ts");
    return new ZfsNas(await openShell(access, config.user, keys.key), { parents: config.parents });
  }
  const { openTrueNas } = await import("../systems/nas/truenas/open.ts");
  return openTrueNas(trueNasOptions(access, config.user, keys.key));
};

/** Throws NAS_UNSUPPORTED when holdfast.yaml names nobody who may remove, and other NAS_* Failures. */
export const openNasRemover = async (access: NasAccess): Promise<NasRemover> => {
  const { config, keys } = access;
  if (config.remover === undefined || keys.remover === undefined)
    throw new Failure("NAS_UNSUPPORTED", {
      what: "Nothing is removed from the NAS: holdfast.yaml names nobody who may.",
      todo: "Set nas.remover in it; docs/nas/ says which rights that user needs.",
    });
  if (config.kind === "zfs-ssh") {
    const { ZfsRemover } = await import("../systems/nas/zfs/remover.ts");
    return new ZfsRemover(await openShell(access, config.remover.user, keys.remover), { parents: config.parents });
  }
  const { openTrueNasRemover } = await import("../systems/nas/truenas/open.ts");
  return openTrueNasRemover(trueNasOptions(access, config.remover.user, keys.remover));
};
