/** What was shown by killing operations, as a document: steps × before, in the middle, after × what came next. Pure. */
import type { Plan } from "../../model/plan.ts";
import type { Matrix, Wish } from "./kill-matrix.ts";

export interface Killed {
  readonly name: string;
  readonly plan: Plan;
  readonly matrices: Readonly<Record<Wish, Matrix>>;
}

const phases = ["before", "middle", "after"] as const;
const wishes = ["resume", "undo"] as const;

/** A step's "after" is the next step's "before": it has ended, and nothing more has begun. */
const deathsAt = (plan: Plan, index: number, phase: (typeof phases)[number]): string => {
  const [step, next] = [plan.steps[index], plan.steps[index + 1]];
  return phase === "after" && next !== undefined ? `${next.id} before` : `${step?.id ?? ""} ${phase}`;
};

const rowOf = ({ plan, matrices }: Killed, index: number): string => {
  const counts = wishes.flatMap((wish) => phases.map((phase) => matrices[wish].get(deathsAt(plan, index, phase)) ?? 0));
  return `| ${plan.steps[index]?.id ?? ""} | ${counts.join(" | ")} |`;
};

const sectionOf = (killed: Killed): string => `## ${killed.name}

${killed.plan.steps.map(({ id, kind, title }) => `- \`${id}\` (${kind}): ${title}`).join("\n")}

| step | before, resume | middle, resume | after, resume | before, undo | middle, undo | after, undo |
| --- | --- | --- | --- | --- | --- | --- |
${killed.plan.steps.map((_, index) => rowOf(killed, index)).join("\n")}

Before the plan was written, or after its end was: ${wishes.map((wish) => `${killed.matrices[wish].get("outside") ?? 0} (${wish})`).join(", ")}.
`;

export const killReport = (all: readonly Killed[]): string => `# Where operations were killed

Written by \`src/restore/kill-matrix.test.ts\` (\`npm run unit -- src/restore/kill-matrix.test.ts -u\` writes it anew), which fails when the counts are others, or when a step of a plan has no death before, in the middle and after. \`src/cli/operations-world.test.ts\` fails when a kind of step is in no plan here.

Each number is how many processes died there: one life for each crossing of a port (the cluster, the journal, agents, the NAS), before and after its call. The next process resumed the operation or undid it; then the content of the volume, the app's replicas and what is left lying about were compared with what they must be.

${all.map(sectionOf).join("\n")}`;
