/** The RBAC rules that Holdfast's commands need, and which of them the present user lacks. */
import type { Config } from "../config/schema.ts";
import { mapLimited } from "../model/concurrency.ts";
import { Failure } from "../model/failure.ts";
import type { Kubernetes, Resource } from "../systems/kubernetes/port.ts";
import { groupOf, resources } from "../systems/kubernetes/resources.ts";
import { type Check, ok } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

/** Verbs on one resource, as one line of a Role. */
export interface Rule {
  readonly resource: Resource;
  readonly subresource?: string;
  readonly verbs: readonly string[];
  /** Absent: the whole cluster. */
  readonly namespace?: string;
}

const get = ["get"];
const list = ["list"];
const getAndPatch = ["get", "list", "patch"];

const all = ["get", "list", "create", "patch", "delete"];

/** What all commands need together. */
export const neededRules = ({ velero, holdfast }: Pick<Config, "velero" | "holdfast">): readonly Rule[] => [
  { resource: resources.namespaces, verbs: ["get", "list", "create", "patch"] },
  { resource: resources.persistentVolumeClaims, verbs: all },
  { resource: resources.persistentVolumes, verbs: all },
  { resource: resources.pods, verbs: ["get", "list", "create", "delete"] },
  { resource: resources.events, verbs: list },
  { resource: resources.deployments, verbs: getAndPatch },
  { resource: resources.statefulSets, verbs: getAndPatch },
  { resource: resources.replicaSets, verbs: getAndPatch },
  { resource: resources.daemonSets, verbs: list },
  { resource: resources.jobs, verbs: list },
  { resource: resources.cronJobs, verbs: list },
  { resource: resources.storageClasses, verbs: list },
  { resource: resources.applications, verbs: getAndPatch },
  { resource: resources.applicationSets, verbs: getAndPatch },
  { resource: resources.admissionPolicies, verbs: all },
  { resource: resources.admissionPolicyBindings, verbs: all },
  { resource: resources.leases, verbs: all, namespace: holdfast.namespace },
  { resource: resources.volumeSnapshotContents, verbs: list },
  { resource: resources.pods, subresource: "log", verbs: get, namespace: holdfast.namespace },
  { resource: resources.secrets, verbs: ["list", "create", "delete"], namespace: holdfast.namespace },
  { resource: resources.backups, verbs: ["get", "list", "create"], namespace: velero.namespace },
  { resource: resources.podVolumeBackups, verbs: list, namespace: velero.namespace },
  { resource: resources.podVolumeRestores, verbs: ["get", "create", "patch"], namespace: velero.namespace },
  { resource: resources.configMaps, verbs: ["create", "delete"], namespace: velero.namespace },
];

/** The needed rules with only those verbs that the user lacks. */
export const missingRules = async (kubernetes: Kubernetes, needed: readonly Rule[]): Promise<readonly Rule[]> => {
  const questions = needed.flatMap((rule) => rule.verbs.map((verb) => ({ ...rule, verb })));
  const answers = await mapLimited(questions, 6, (question) => kubernetes.allowed(question));
  const lacks = (rule: Rule, verb: string): boolean =>
    questions.some(
      (question, index) =>
        answers[index] === false &&
        question.verb === verb &&
        question.resource === rule.resource &&
        question.subresource === rule.subresource &&
        question.namespace === rule.namespace,
    );
  return needed
    .map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => lacks(rule, verb)) }))
    .filter(({ verbs }) => verbs.length > 0);
};

const nameOf = ({ resource, subresource }: Rule): string =>
  subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;

/** Short, for one line: "persistentvolumes (get, list)". */
const shortText = (rule: Rule): string => `${nameOf(rule)} (${rule.verbs.join(", ")})`;

/** As it stands in a Role. */
const ruleText = (rule: Rule): string => {
  const verbs = rule.verbs.map((verb) => `"${verb}"`).join(", ");
  return `- {apiGroups: ["${groupOf(rule.resource)}"], resources: ["${nameOf(rule)}"], verbs: [${verbs}]}`;
};

/** The missing rules to be copied, by the place that they have to hold in. */
const instructions = (missing: readonly Rule[]): string => {
  const lines: string[] = [];
  for (const place of new Set(missing.map(({ namespace }) => namespace))) {
    lines.push(place === undefined ? "# in a ClusterRole" : `# in a Role in namespace "${place}", or a ClusterRole`);
    lines.push(...missing.filter(({ namespace }) => namespace === place).map(ruleText));
  }
  return ["Give the kubeconfig's user these rules:", ...lines.map((line) => `    ${line}`)].join("\n");
};

export const rightsChecks = (world: DoctorWorld): readonly Check[] => [
  {
    id: "rights",
    title: "RBAC rights",
    needs: ["kubernetes"],
    look: async () => {
      const needed = neededRules(world.loaded.config);
      const missing = await missingRules(await world.kubernetes(), needed);
      if (missing.length === 0) return ok(`all ${needed.length} rules that Holdfast needs hold`);
      throw new Failure("KUBERNETES_FORBIDDEN", {
        what: `${missing.length} of ${needed.length} RBAC rules are missing.`,
        why: missing.map(shortText).join(", "),
        todo: instructions(missing),
      });
    },
  },
];
