/** Shares, targets and extents through TrueNAS' API. */
import { ExportExists, type ExportKind, ExportMissing, type NasExports } from "./nas-exports.ts";
import { ApiRefused, type TrueNasApi } from "./truenas-api.ts";

const paths: Readonly<Record<ExportKind, string>> = {
  nfs: "/sharing/nfs",
  target: "/iscsi/target",
  extent: "/iscsi/extent",
  targetextent: "/iscsi/targetextent",
};

/** The NAS' words for something that must be unique and is taken. */
const isTaken = ({ text }: ApiRefused): boolean =>
  /already exports|already exists|must be unique|already being used|currently in use by extent/.test(text);

const isGone = ({ text }: ApiRefused): boolean => text.includes("does not exist");

const asking = async <T>(work: () => Promise<T>, named: (error: ApiRefused) => Error | undefined): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw (error instanceof ApiRefused ? named(error) : undefined) ?? error;
  }
};

export const truenasExports = (api: TrueNasApi): NasExports => ({
  query: async (kind) => (await api.ask("GET", paths[kind])) as never,
  create: (kind, fields) =>
    asking(
      async () => (await api.ask("POST", paths[kind], fields)) as never,
      (error) => (isTaken(error) ? new ExportExists(kind, JSON.stringify(fields)) : undefined),
    ),
  update: (kind, id, fields) =>
    asking(
      async () => (await api.ask("PUT", `${paths[kind]}/id/${id}`, fields)) as never,
      (error) => {
        if (isTaken(error)) return new ExportExists(kind, JSON.stringify(fields));
        return isGone(error) ? new ExportMissing(kind, id) : undefined;
      },
    ),
  remove: async (kind, id) => {
    try {
      await api.ask("DELETE", `${paths[kind]}/id/${id}`);
    } catch (error) {
      if (!(error instanceof ApiRefused && isGone(error))) throw error;
    }
  },
});
