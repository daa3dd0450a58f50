/** One number for all that matters in an inventory: as long as it stays, nothing needs to be written. */
import { createHash } from "node:crypto";
import { decodeJson, encodeJson } from "../../systems/kubernetes/json.ts";
import { type InventoryContent, nasObjects } from "./content.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What changes without anybody having changed anything. */
const noiseOfObject = new Set(["status", "operation"]);
const noiseOfMetadata = new Set(["resourceVersion", "generation", "managedFields"]);
const noiseOfAnnotations = new Set(["argocd.argoproj.io/refresh", "deployment.kubernetes.io/revision"]);
const noiseOfDataset = new Set(["used", "available"]);

/** Hexadecimal. The order in which objects and fields come makes no difference. Cost: every object is decoded once. */
export const fingerprintOf = ({ kubernetes, nas }: InventoryContent): string => {
  const parts = kubernetes.flatMap(({ resource, texts }) =>
    texts.map((text) => `${resource.apiVersion} ${resource.kind} ${canonical(essence(decodeJson(text) as Fields))}`),
  );
  if (nas !== undefined) {
    for (const { nas: kind, object } of nasObjects(nas))
      parts.push(`${kind} ${canonical(kind === "dataset" ? without({ ...object }, noiseOfDataset) : object)}`);
    parts.push(`nas ${canonical({ iqnBase: nas.exports?.iqnBase, addresses: nas.addresses })}`);
  }
  return createHash("sha256").update(parts.toSorted().join("\n")).digest("hex");
};

const essence = (object: Fields): Fields => {
  const metadata = without((object["metadata"] ?? {}) as Fields, noiseOfMetadata);
  const annotations = without((metadata["annotations"] ?? {}) as Fields, noiseOfAnnotations);
  return { ...without(object, noiseOfObject), metadata: { ...metadata, annotations } };
};

const without = (fields: Fields, noise: ReadonlySet<string>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !noise.has(name)));

const canonical = (value: unknown): string => encodeJson(sorted(value));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
};
