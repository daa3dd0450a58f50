/** Turns the text of holdfast.yaml into a Config, or into errors with file, line, column and a hint, all at once. */
import { isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { Failure } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";
import { type Config, configSchema } from "./schema.ts";

interface Problem {
  /** Offset of the first character that is wrong. */
  readonly offset: number;
  readonly text: string;
  /** The line may hold a secret: only its key is shown. */
  readonly secret: boolean;
}

/** Below these settings, and behind any key that we do not know, stands what may be a secret in the wrong place. */
const secretive = ([first, second]: readonly PropertyKey[]): boolean =>
  first === "repository" ||
  first === "kit" ||
  (first === "bucket" && second === "credentials") ||
  (first === "nas" && (second === "key" || second === "remover"));

/** Throws CONFIG_INVALID with every problem of the file. `name` is how the file is called in them. */
export const parseConfig = (text: string, name: string): Config => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map((error) => ({ offset: error.pos[0], text: error.message, secret: true }));
  if (syntax.length > 0) throw invalid(name, text, lines, syntax);
  const result = configSchema.safeParse(document.toJS());
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, (path) => offsetOf(document, path)));
  throw invalid(name, text, lines, problems);
};

type Locate = (path: readonly PropertyKey[]) => number;

/** Where a path stands in the file; a key that is missing is shown at the mapping that lacks it. */
const offsetOf = (document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number => {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range !== null && node.range !== undefined) return node.range[0];
  }
  return 0;
};

const problemsOf = (issue: z.core.$ZodIssue, locate: Locate): readonly Problem[] => {
  const where = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const text = `${[...issue.path, key].join(".")}: there is no such setting${hintFor(key, issue.path)}`;
      return { offset: locate([...issue.path, key]), text, secret: true };
    });
  }
  const missing = issue.code === "invalid_type" && issue.input === undefined && /undefined/.test(issue.message);
  const text = missing
    ? `${where}: this setting is required`
    : `${where === "" ? "the file" : where}: ${issue.message}`;
  return [{ offset: locate(issue.path), text, secret: secretive(issue.path) }];
};

/** Keys that are allowed where an unknown one stands. */
const knownKeys = (path: readonly PropertyKey[]): readonly string[] => {
  let schema: unknown = configSchema;
  for (const part of path)
    schema = typeof part === "number" ? unwrap(elementOf(unwrap(schema))) : shapeOf(unwrap(schema))[String(part)];
  return Object.keys(shapeOf(unwrap(schema)));
};

interface Inner {
  readonly def?: {
    readonly innerType?: unknown;
    readonly element?: unknown;
    readonly shape?: Readonly<Record<string, unknown>>;
  };
}

const unwrap = (schema: unknown): unknown => {
  const inner = (schema as Inner | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrap(inner);
};
const elementOf = (schema: unknown): unknown => (schema as Inner | undefined)?.def?.element;
const shapeOf = (schema: unknown): Readonly<Record<string, unknown>> => (schema as Inner | undefined)?.def?.shape ?? {};

const hintFor = (key: string, path: readonly PropertyKey[]): string => {
  const known = knownKeys(path);
  const [near] = nearest(key, known, 1);
  if (/password|secret|token|accesskey/i.test(key) && near === undefined)
    return "; secrets are never written here: refer to a file, an environment variable or a Secret";
  return near === undefined ? `; known here: ${known.join(", ")}` : `; did you mean "${near}"?`;
};

const invalid = (name: string, text: string, lines: LineCounter, problems: readonly Problem[]): Failure => {
  const shown = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map((problem) => describeProblem(name, text, lines, problem));
  return new Failure("CONFIG_INVALID", {
    what: `${name} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}.`,
    why: `\n${shown.join("\n")}`,
    todo: "docs/set-up.md shows every setting.",
  });
};

/** The place, and the line with a caret. */
const describeProblem = (name: string, text: string, lines: LineCounter, problem: Problem): string => {
  const { line, col } = lines.linePos(problem.offset);
  const source = text.split("\n")[line - 1] ?? "";
  const shown = problem.secret ? withoutValue(source) : source;
  return `  ${name}:${line}:${col}: ${problem.text}\n    ${shown}\n    ${" ".repeat(Math.max(0, col - 1))}^`;
};

/** "key: value" without the value; a line without a key is all value. */
const withoutValue = (line: string): string => {
  const [, indent = "", key, value = ""] = /^(\s*(?:-\s*)?)([^:]*:)?\s*(.*)$/.exec(line) ?? [];
  if (key === undefined) return `${indent}…`;
  return `${indent}${key}${value === "" ? "" : " …"}`;
};
