/** A call's arguments by position, checked by schemas; what is wrong is said in the words of TrueNAS' own checks. */
import { z } from "zod";
import { type Problem, ValidationErrors } from "./call-error.ts";

/** A method's arguments in their order. */
export type Parameters = Readonly<Record<string, z.ZodType>>;

export type Arguments<P extends Parameters> = { readonly [K in keyof P]: z.output<P[K]> };

const kinds: Readonly<Record<string, string>> = {
  string: "a valid string",
  number: "a valid integer",
  int: "a valid integer",
  boolean: "a valid boolean",
  array: "a valid list",
  object: "a valid dictionary",
  record: "a valid dictionary",
};

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce((part, key) => (part as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key], value);

type Issue = z.core.$ZodIssue;

const message = (issue: Issue, given: unknown): string => {
  if (issue.code === "invalid_type")
    return given === undefined ? "Field required" : `Input should be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === "invalid_value")
    return `Input should be ${issue.values.map((value) => `'${String(value)}'`).join(" or ")}`;
  if (issue.code === "too_small")
    return issue.origin === "string"
      ? `String should have at least ${issue.minimum} character`
      : `Input should be greater than or equal to ${issue.minimum}`;
  if (issue.code === "too_big")
    return issue.origin === "string"
      ? `String should have at most ${issue.maximum} characters`
      : `Input should be less than or equal to ${issue.maximum}`;
  if (issue.code === "invalid_format") return `String should match pattern '${issue.pattern ?? issue.format}'`;
  return issue.message;
};

const problemsOf = (issue: Issue, root: unknown, prefix: string): readonly Problem[] => {
  const problem = (path: readonly PropertyKey[], text: string): Problem => ({
    attribute: [prefix, ...path].map(String).join("."),
    message: text,
    errname: "EINVAL",
  });
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => problem([...issue.path, key], "Extra inputs are not permitted"));
  return [problem(issue.path, message(issue, at(root, issue.path)))];
};

/** Throws `ValidationErrors` with everything that is wrong. */
export const readArguments = <P extends Parameters>(parameters: P, given: readonly unknown[]): Arguments<P> => {
  const names = Object.keys(parameters);
  if (given.length > names.length) {
    const text = `Too many arguments (expected ${names.length}, found ${given.length})`;
    throw new ValidationErrors([{ attribute: "", message: text, errname: "EINVAL" }]);
  }
  const problems: Problem[] = [];
  const read: Record<string, unknown> = {};
  for (const [index, name] of names.entries()) {
    const result = (parameters[name] ?? z.never()).safeParse(given[index]);
    if (result.success) read[name] = result.data;
    else problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, given[index], name)));
  }
  if (problems.length > 0) throw new ValidationErrors(problems);
  return read as Arguments<P>;
};
