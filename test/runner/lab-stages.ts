/** What needs a running lab: one lab, shared by all lab tests, gone without a trace afterwards, and labs of their own. */
import { unaskedRestarts } from "../../lab/apps/restarts.ts";
import { ensureArgoCd } from "../../lab/gitops/parts.ts";
import { openLab, paths } from "../../lab/lab.ts";
import { down } from "../../lab/down.ts";
import { s3Endpoint, s3Keys } from "../../lab/nas/nas.ts";
import { tools } from "../../lab/parts.ts";
import { createReport, silentReport } from "../../lab/shell/report.ts";
import { inside } from "../../lab/site/inside.ts";
import { kubectlOf } from "../../lab/site/kubectl.ts";
import { laptopTools } from "../../lab/state.ts";
import { up } from "../../lab/up.ts";
import { footprintOf, traces } from "./traces.ts";
import { type Stage, vitest, work } from "./stage.ts";

const lab = openLab("test");

/** Lab tests run on the lab's laptop, so that names and addresses of the lab's network work in them. */
const testsInLab = (name: string, project: string): Stage => ({
  name,
  run: async () => {
    const binary = await tools(lab, laptopTools, silentReport);
    const env = {
      ...process.env,
      HOLDFAST_LAB: lab.name,
      KUBECONFIG: paths(lab).kubeconfig,
      HOLDFAST_CONFIG: paths(lab).holdfastConfig,
      XDG_STATE_HOME: paths(lab).laptopState,
      HOLDFAST_TEST_KOPIA: binary("kopia"),
      HOLDFAST_TEST_S3_ENDPOINT: s3Endpoint,
      HOLDFAST_TEST_S3_CA: paths(lab).caFile,
      HOLDFAST_TEST_S3_ACCESS_KEY: s3Keys.accessKeyId,
      HOLDFAST_TEST_S3_SECRET_KEY: s3Keys.secretAccessKey,
    };
    const outcome = await vitest(name, project, { env, within: inside(lab, "site") }).run();
    if (outcome.failed === 0) return outcome;
    return { ...outcome, failures: [...(outcome.failures ?? []), ...(await unaskedRestarts(kubectlOf(lab, binary)))] };
  },
});

/** Nobody who presses Ctrl-C wants to find a lab running afterwards. */
const downWhenInterrupted = (): void => {
  const end = (exitStatus: number) => (): void => void down(lab).finally(() => process.exit(exitStatus));
  process.once("SIGINT", end(130)).once("SIGTERM", end(143));
};

/** A vitest project on a lab that has just come up, and goes without a trace. */
export const onFreshLab = (name: string, project: string): readonly Stage[] => [
  work("lab up", async () => {
    downWhenInterrupted();
    await down(lab);
    const report = createReport();
    await up(lab, report);
    // Tests install it from inside the lab, which has no way out to fetch anything.
    await ensureArgoCd(lab, report);
  }),
  testsInLab(name, project),
  work("lab down leaves nothing", async () => {
    const footprint = await footprintOf(lab);
    await down(lab);
    const left = [...(await traces(lab)), ...(await footprint.left())];
    if (left.length > 0) throw new Error(`left on the host after down:\n${left.join("\n")}`);
  }),
];

export const labStages: readonly Stage[] = [...onFreshLab("lab tests", "lab"), vitest("life of labs", "lab-life")];
