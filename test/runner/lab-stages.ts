/** What needs a running lab: one lab, shared by all lab tests, gone without a trace afterwards. */
import { openLab, paths } from "../../lab/lab.ts";
import { down } from "../../lab/down.ts";
import { s3Endpoint, s3Keys } from "../../lab/nas/nas.ts";
import { tools } from "../../lab/parts.ts";
import { createReport, silentReport } from "../../lab/shell/report.ts";
import { inside } from "../../lab/site/inside.ts";
import { up } from "../../lab/up.ts";
import { traces } from "./traces.ts";
import { type Stage, vitest, work } from "./stage.ts";

const lab = openLab("test");

/** Lab tests run on the lab's laptop, so that names and addresses of the lab's network work in them. */
const labTests: Stage = {
  name: "lab tests",
  run: async () => {
    const binary = await tools(lab, ["kubectl", "velero", "kopia"], silentReport);
    const env = {
      ...process.env,
      HOLDFAST_LAB: lab.name,
      KUBECONFIG: paths(lab).kubeconfig,
      HOLDFAST_CONFIG: paths(lab).holdfastConfig,
      HOLDFAST_TEST_KOPIA: binary("kopia"),
      HOLDFAST_TEST_S3_ENDPOINT: s3Endpoint,
      HOLDFAST_TEST_S3_CA: paths(lab).caFile,
      HOLDFAST_TEST_S3_ACCESS_KEY: s3Keys.accessKeyId,
      HOLDFAST_TEST_S3_SECRET_KEY: s3Keys.secretAccessKey,
    };
    return vitest("lab tests", "lab", { env, within: inside(lab, "site") }).run();
  },
};

export const labStages: readonly Stage[] = [
  work("lab up", async () => {
    await down(lab);
    await up(lab, createReport());
  }),
  labTests,
  work("lab down leaves nothing", async () => {
    await down(lab);
    const left = await traces(lab);
    if (left.length > 0) throw new Error(`left on the host after down:\n${left.join("\n")}`);
  }),
];
