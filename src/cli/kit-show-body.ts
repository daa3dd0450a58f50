/** `holdfast kit show FILE`: what is in a kit. Needs neither holdfast.yaml nor cluster nor bucket. */
import { type Kit, withoutSecrets } from "../kit/kit.ts";
import { printAnswer } from "./answer.ts";
import { worldlessBody } from "./body.ts";
import type { OutputFormat } from "./flags.ts";
import { readKitFile } from "./kit-files.ts";
import { type OpeningFlags, openKit } from "./kit-key.ts";

interface ShowFlags extends OpeningFlags {
  readonly secrets: boolean;
  readonly output: OutputFormat;
}

/** "bucket.name" and its value, for everything but the texts that have many lines. */
const fieldsOf = (value: unknown, path = ""): readonly (readonly [string, string])[] => {
  if (Array.isArray(value)) return [[path, value.join(", ")]];
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, path === "" ? name : `${path}.${name}`));
};

const oneLine = (text: string): string =>
  text.trimEnd().includes("\n") ? `(${text.trimEnd().split("\n").length} lines; -o json prints them)` : text.trimEnd();

export const showKit = worldlessBody<ShowFlags, [string]>(async (cli, flags, name) => {
  const opened = await openKit(cli.context, await readKitFile(cli.context, name), flags);
  const kit: Kit = flags.secrets ? opened : withoutSecrets(opened);
  const { runbook, ...fields } = kit;
  await printAnswer(cli.context.stdout, flags.output, {
    data: kit,
    heads: ["FIELD", "VALUE"],
    rows: fieldsOf(fields).map(([field, value]) => [field, oneLine(value)]),
    names: fieldsOf(fields).map(([field]) => field),
    footer: `\n${runbook.trimEnd()}`,
    empty: "",
  });
});
