/** What Argo CD shows of its objects, and what it is told. */
import { argoCdNamespace } from "../../../lab/gitops/homelab.ts";
import { describeApplication, readApplications } from "../../../lab/gitops/state.ts";
import type { RunningLab } from "../running-lab.ts";

/** An Application as a line; "not there". */
export const shownOf = async ({ kubectl }: RunningLab, name: string): Promise<string> => {
  const [application] = await readApplications(kubectl, [name]);
  return application === undefined ? "not there" : describeApplication(application);
};

interface Settings {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: object;
}

const kinds = ["applications", "applicationsets", "appprojects"].map((kind) => `${kind}.argoproj.io`).join(",");

/** What all Applications, ApplicationSets and projects are told, by name; requests to look again left out. */
export const settingsOf = async ({ get }: RunningLab): Promise<Readonly<Record<string, object>>> => {
  const { items } = await get<{ readonly items: readonly Settings[] }>(kinds, "-n", argoCdNamespace);
  return Object.fromEntries(
    items.map(({ metadata: { name, annotations = {} }, spec }) => {
      const { "argocd.argoproj.io/refresh": _, ...lasting } = annotations;
      return [name, { annotations: lasting, spec }];
    }),
  );
};

interface WithConditions {
  readonly status?: { readonly conditions?: readonly object[] };
}

/** An ApplicationSet's conditions. */
export const conditionsOf = async ({ get }: RunningLab, set: string): Promise<readonly object[]> =>
  (await get<WithConditions>("applicationsets.argoproj.io", "-n", argoCdNamespace, set)).status?.conditions ?? [];
