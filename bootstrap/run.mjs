/**
 * node bootstrap/run.mjs FILE [ARGS…]
 *
 * Works in a fresh clone: checks the system, installs the packages when needed, then runs FILE (below the repository)
 * in this very process, so that signals, standard streams and exit status are its own. Standard output is left to FILE.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensurePackages, SetupError } from "./packages.mjs";
import { hasProgram, missingParts, needsLab } from "./requirements.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const goVersion = () => {
  try {
    return execFileSync("go", ["env", "GOVERSION"], { cwd: "/", encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
};

/** Asking Go takes time, so it is done only on the way to an installation. */
const checkSystem = (entry, isFirstRun) => {
  const missing = missingParts({
    entry,
    node: process.versions.node,
    platform: process.platform,
    uid: process.getuid?.(),
    has: hasProgram,
    folders: [root, process.env.HOLDFAST_LAB_DIR ?? root, process.env.XDG_CACHE_HOME ?? homedir()],
    go: isFirstRun && needsLab(entry) && hasProgram("go") ? goVersion() : undefined,
  });
  if (missing.length === 0) return;
  throw new SetupError(
    `${entry} cannot run on this system. Missing:\n${missing.map((line) => `  - ${line}`).join("\n")}`,
  );
};

const prepare = async (file) => {
  if (file === undefined) throw new SetupError("usage: node bootstrap/run.mjs FILE [ARGS…]");
  const path = resolve(root, file);
  checkSystem(relative(root, path), !existsSync(join(root, "node_modules", ".holdfast-lock")));
  await ensurePackages(root);
  if (!existsSync(path)) throw new SetupError(`${file} does not exist`);
  return path;
};

const [, , file, ...args] = process.argv;
let path;
try {
  path = await prepare(file);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
process.argv = [process.argv[0], path, ...args];
if (path.endsWith(".ts")) {
  const loader = import.meta.resolve("tsx");
  await import(loader);
  // Programs that FILE starts the way Node's own fork does understand TypeScript too.
  process.execArgv.push("--import", loader);
}
await import(pathToFileURL(path).href);
