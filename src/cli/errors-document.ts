/** docs/errors.md: every failure with its exit status, meaning and remedy, from the catalogue that the program uses. */
import { catalogue } from "../model/failure-catalogue.ts";
import { exitStatuses } from "./exit-status-help.ts";

const head = `# Errors

<!-- Written from src/model/failure-catalogue.ts; after a change there: UPDATE=1 npm run unit -- errors-document -->

Every error of Holdfast says what happened, why, what to do, and its code in parentheses. With \`-o json\` or \`--json\` the same comes as one JSON object on standard error. The advice below is the general one: where the program knows better, it says so itself.

Anything that is called a \`defect in Holdfast\` is our fault: please report it with what \`HOLDFAST_DEBUG=1\` shows.
`;

const statuses = (): string => {
  const rows = Object.entries(exitStatuses).map(([status, meaning]) => `- \`${status}\`: ${meaning}`);
  return `## Exit statuses\n\n${rows.join("\n")}\n`;
};

/** The whole document as Markdown. */
export const errorsDocument = (): string => {
  const sections = Object.entries(catalogue).map(
    ([code, { exit, meaning, todo }]) => `## ${code}\n\n${meaning} Exit status ${exit}.\n\n**What to do:** ${todo}\n`,
  );
  return [head, statuses(), ...sections].join("\n");
};
