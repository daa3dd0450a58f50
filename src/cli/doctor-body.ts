/** `holdfast doctor`. Exit status: 0, or that of the first failed check. */
import manifest from "../../package.json" with { type: "json" };
import type { CheckResult, CheckVerdict } from "../doctor/check.ts";
import { examine } from "../doctor/examine.ts";
import { exitStatusOf } from "../doctor/run.ts";
import type { DoctorWorld } from "../doctor/world.ts";
import { type Answer, printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { viewOperations } from "./operations-world.ts";
import type { World } from "./world.ts";

interface DoctorFlags extends WorldFlags {
  readonly output: OutputFormat;
}

const verdicts: readonly CheckVerdict[] = ["failed", "warning", "unknown", "ok"];

/** How many of each verdict, and below that what to do about each check that has something to do. */
const footer = (results: readonly CheckResult[]): string => {
  const counts = verdicts
    .map((verdict) => ({ verdict, count: results.filter((result) => result.verdict === verdict).length }))
    .filter(({ count }) => count > 0);
  const todos = results.flatMap(({ id, todo, code }) =>
    todo === undefined ? [] : [`${id}: ${todo}${code === undefined ? "" : ` (${code})`}`],
  );
  const summary = `${results.length} checks: ${counts.map(({ verdict, count }) => `${count} ${verdict}`).join(", ")}.`;
  return [summary, ...(todos.length === 0 ? [] : ["What to do:", ...todos.map((todo) => `  ${todo}`)])].join("\n");
};

/** What was found comes last in either form: it may be long. */
const columns = (results: readonly CheckResult[], wide: boolean): Pick<Answer, "heads" | "rows"> =>
  wide
    ? {
        heads: ["CHECK", "VERDICT", "TITLE", "CODE", "FOUND"],
        rows: results.map(({ id, verdict, title, code, found }) => [id, verdict, title, code ?? "-", found]),
      }
    : { heads: ["CHECK", "VERDICT", "FOUND"], rows: results.map(({ id, verdict, found }) => [id, verdict, found]) };

const doctorWorld = (world: World): DoctorWorld => ({
  context: world.context,
  loaded: world.loaded,
  kubernetes: () => world.kubernetes(),
  bucket: () => world.bucket(),
  bucketWithoutFence: () => world.bucketWithoutFence(),
  password: () => world.password(),
  operations: async () => (await viewOperations(world)).list(),
  nas: () => world.nas(),
  nasRemover: () => world.nasRemover(),
});

export const doctor = commandBody<DoctorFlags, []>(async (cli, world, flags) => {
  const results = await examine(doctorWorld(world), manifest.version);
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      cluster: world.loaded.config.holdfast.cluster,
      time: new Date(cli.context.clock.now()).toISOString(),
      healthy: results.every(({ verdict }) => verdict === "ok"),
      exitStatus: exitStatusOf(results),
      checks: results,
    },
    ...columns(results, flags.output === "wide"),
    names: results.map(({ id }) => id),
    footer: footer(results),
    empty: "",
  });
  cli.setExitStatus(exitStatusOf(results));
});
