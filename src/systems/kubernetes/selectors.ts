import type { KubeObject } from "./port.ts";

/** Selectors as the API server reads them; used by the in-memory twin. */

/** Says whether an object is meant. */
export type Matcher = (object: KubeObject) => boolean;

/** The selector is not one that the server would take; the text is the server's. */
export class BadSelector extends Error {}

const setBased = /^([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equality = /^([^\s=!,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)$/;
const existence = /^(!?)\s*([^\s=!,()]+)$/;
const commaOutsideParentheses = /,(?![^(]*\))/;

const labelRequirement = (text: string): Matcher => {
  const [, setKey, operator, list] = setBased.exec(text) ?? [];
  if (setKey !== undefined && list !== undefined) {
    const values = new Set(list.split(",").map((value) => value.trim()));
    return (object) => {
      const value = object.metadata.labels?.[setKey];
      return operator === "in" ? value !== undefined && values.has(value) : value === undefined || !values.has(value);
    };
  }
  const [, key, sign, wanted] = equality.exec(text) ?? [];
  if (key !== undefined) {
    return (object) => (object.metadata.labels?.[key] === wanted) === (sign !== "!=");
  }
  const [, not, present] = existence.exec(text) ?? [];
  if (present === undefined) throw new BadSelector(`unable to parse requirement: ${text}`);
  return (object) => (object.metadata.labels?.[present] !== undefined) === (not === "");
};

const all =
  (matchers: readonly Matcher[]): Matcher =>
  (object) =>
    matchers.every((matches) => matches(object));

/** A label selector in kubectl's syntax; nothing selects everything. Throws BadSelector. */
export const labelMatcher = (selector: string | undefined): Matcher => {
  const text = selector?.trim() ?? "";
  if (text === "") return () => true;
  return all(text.split(commaOutsideParentheses).map((part) => labelRequirement(part.trim())));
};

/** What the server can select by, beyond name and namespace. Custom resources have nothing more. */
const fieldLabels: Readonly<Record<string, readonly string[]>> = {
  pods: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  events: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  secrets: ["type"],
  namespaces: ["status.phase"],
  nodes: ["spec.unschedulable"],
  jobs: ["status.successful"],
  replicasets: ["status.replicas"],
};

const fieldValue = (object: KubeObject, path: string): string => {
  let value: unknown = object;
  for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
};

const fieldRequirement = (plural: string, text: string): Matcher => {
  const [, path, sign, wanted = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? [];
  if (path === undefined) throw new BadSelector(`invalid field selector: ${text}`);
  const more = fieldLabels[plural];
  if (!["metadata.name", "metadata.namespace", ...(more ?? [])].includes(path)) {
    const onlyNames = `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
    throw new BadSelector(more === undefined ? onlyNames : `field label not supported: ${path}`);
  }
  return (object) => (fieldValue(object, path) === wanted) === (sign !== "!=");
};

/** A field selector for objects of a resource; nothing selects everything. Throws BadSelector. */
export const fieldMatcher = (plural: string, selector: string | undefined): Matcher => {
  const text = selector?.trim() ?? "";
  if (text === "") return () => true;
  return all(text.split(",").map((part) => fieldRequirement(plural, part.trim())));
};
