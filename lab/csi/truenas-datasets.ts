/** Datasets through TrueNAS' API. Refusals are `ZfsError`s by the words in them, as democratic-csi recognises them. */
import { ZfsError } from "../zfs/zfs-error.ts";
import type { Properties, PropertyValue } from "../zfs/zfs.ts";
import type { Datasets } from "./datasets.ts";
import { ApiRefused, type TrueNasApi } from "./truenas-api.ts";

interface ApiProperty {
  readonly rawvalue: string;
  readonly source: string;
}

type Entry = Readonly<Record<string, unknown>> & {
  readonly mountpoint: string | null;
  readonly user_properties: Readonly<Record<string, ApiProperty>>;
};

const native = ["refquota", "volsize"] as const;

const itemPath = (dataset: string): string => `/pool/dataset/id/${encodeURIComponent(dataset)}`;

const isUser = (name: string): boolean => name.includes(":");

/** Numbers of bytes that the API takes as numbers. */
const sizes = (properties: Properties): object =>
  Object.fromEntries(
    native.flatMap((name) => (properties[name] === undefined ? [] : [[name, Number(properties[name])]])),
  );

const userProperties = (properties: Properties): readonly object[] =>
  Object.entries(properties).flatMap(([key, value]) => (isUser(key) ? [{ key, value }] : []));

const valueOf = ({ rawvalue, source }: ApiProperty): PropertyValue => ({
  value: rawvalue,
  source: source.toLowerCase(),
});

const propertiesOf = (entry: Entry): ReadonlyMap<string, PropertyValue> =>
  new Map([
    ...Object.entries(entry.user_properties).map(([name, property]) => [name, valueOf(property)] as const),
    ...native.flatMap((name) => {
      const property = entry[name] as ApiProperty | undefined;
      return property === undefined ? [] : [[name, valueOf(property)] as const];
    }),
    ["mountpoint", { value: entry.mountpoint ?? "-", source: "default" }],
  ]);

export const truenasDatasets = (api: TrueNasApi): Datasets => {
  const asking = async <T>(words: readonly string[], work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiRefused)) throw error;
      throw new ZfsError(words, error.status === 404 ? "dataset does not exist" : error.text);
    }
  };
  return {
    create: (dataset, properties = {}) =>
      asking(["create", dataset], async () => {
        const type = properties.volsize === undefined ? { type: "FILESYSTEM" } : { type: "VOLUME", sparse: true };
        const wanted = { name: dataset, ...type, ...sizes(properties), user_properties: userProperties(properties) };
        await api.ask("POST", "/pool/dataset", wanted);
      }),
    exists: async (dataset) =>
      ((await api.ask("GET", `/pool/dataset?id=${encodeURIComponent(dataset)}`)) as []).length > 0,
    properties: (dataset) =>
      asking(["get", dataset], async () => propertiesOf((await api.ask("GET", itemPath(dataset))) as Entry)),
    set: (dataset, properties) =>
      asking(["set", dataset], async () => {
        const update = { ...sizes(properties), user_properties_update: userProperties(properties) };
        await api.ask("PUT", itemPath(dataset), update);
      }),
    destroy: (dataset, { recursive = false } = {}) =>
      asking(
        ["destroy", dataset],
        async () => void (await api.ask("DELETE", itemPath(dataset), { recursive, force: true })),
      ),
  };
};
