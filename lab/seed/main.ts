/**
 * Plants and checks one directory: `main.ts plant|check DIR --shape SHAPE --seed SEED`. Prints one JSON object. Whether the
 * volume is as seeded is told by `mismatches`, not by the exit code, which is 2 for wrong use.
 */
import { parseArgs } from "node:util";
import { asKopiaRestores, check } from "./check.ts";
import { isShape, type Shape, shapeNames } from "./describe.ts";
import { plant } from "./plant.ts";

const usage = `Usage: main.ts plant DIR --shape SHAPE --seed SEED
       main.ts check DIR --shape SHAPE --seed SEED [--ignore PATTERN]... [--sparse-kept] [--kopia]

  --ignore PATTERN       paths that others write: * within a name, ** across folders; what lies below is covered too
  --sparse-kept          holes must be holes
  --kopia                restored by kopia: what it leaves out by default may be missing, hard links may have become
                         files of their own, and folders may have other times
Shapes: ${shapeNames.join(", ")}
`;

class UsageError extends Error {}

interface Invocation {
  readonly action: "plant" | "check";
  readonly directory: string;
  readonly shape: Shape;
  readonly seed: string;
  readonly ignore: readonly string[];
  readonly kopia: boolean;
  readonly sparse: "kept" | "filled";
}

const parse = (args: readonly string[]): Invocation => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      shape: { type: "string", default: "" },
      seed: { type: "string" },
      ignore: { type: "string", multiple: true, default: [] },
      "sparse-kept": { type: "boolean", default: false },
      kopia: { type: "boolean", default: false },
    },
  });
  const [action, directory, ...rest] = positionals;
  const { shape, seed, ignore, kopia } = values;
  if (action !== "plant" && action !== "check") throw new UsageError("what to do is missing: plant or check");
  if (directory === undefined || rest.length > 0) throw new UsageError("exactly one directory is needed");
  if (!isShape(shape)) throw new UsageError(`there is no shape "${shape}"`);
  if (seed === undefined) throw new UsageError("--seed is missing");
  return {
    action,
    directory,
    shape,
    seed,
    ignore,
    kopia,
    sparse: values["sparse-kept"] ? "kept" : "filled",
  };
};

const perform = ({ action, directory, shape, seed, kopia, ...options }: Invocation): Promise<object> =>
  action === "plant"
    ? plant(directory, shape, seed)
    : check(directory, shape, seed, { ...options, ...(kopia ? asKopiaRestores : {}) });

const isWrongUse = (error: unknown): error is Error =>
  error instanceof UsageError ||
  (error instanceof TypeError && ((error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") ?? false));

try {
  process.stdout.write(`${JSON.stringify(await perform(parse(process.argv.slice(2))))}\n`);
} catch (error) {
  if (!isWrongUse(error)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
