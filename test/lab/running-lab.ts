/** The lab that runs these tests on its laptop, and what tests ask of it. */
import { type Lab, openLab } from "../../lab/lab.ts";
import { tools } from "../../lab/parts.ts";
import { silentReport } from "../../lab/shell/report.ts";
import { type Kubectl, kubectlOf } from "../../lab/site/kubectl.ts";
import type { ComponentName } from "../../lab/components/catalogue.ts";

const commandLineTools: readonly ComponentName[] = ["kubectl", "velero", "kopia", "etcd"];

export interface RunningLab {
  readonly lab: Lab;
  readonly kubectl: Kubectl;
  /** Where a program of the lab lies. */
  readonly binary: (name: ComponentName) => string;
  /** Reads objects as JSON. */
  readonly get: <T>(...words: readonly string[]) => Promise<T>;
}

export const openRunningLab = async (name = process.env["HOLDFAST_LAB"]): Promise<RunningLab> => {
  if (name === undefined)
    throw new Error("run this through the lab: npm run lab -- exec -- npx vitest run --project lab");
  const lab = openLab(name);
  const binary = await tools(lab, commandLineTools, silentReport);
  const kubectl = kubectlOf(lab, binary);
  return {
    lab,
    kubectl,
    binary,
    get: async <T>(...words: readonly string[]) => JSON.parse(await kubectl(["get", ...words, "-o", "json"])) as T,
  };
};
