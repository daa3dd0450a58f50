#!/usr/bin/env node
/** Runs the CLI, from any folder: as `npm run build` has made it, or from the sources where they are newer. */
import module from "node:module";
import { fileURLToPath } from "node:url";
import { isBuilt } from "../bootstrap/built.mjs";

// From Node.js 22.8 on, what was compiled once is not compiled with each start.
module.enableCompileCache?.(fileURLToPath(new URL("../dist/compiled", import.meta.url)));

if (isBuilt(fileURLToPath(new URL("..", import.meta.url)))) {
  await import(new URL("../dist/cli/main.mjs", import.meta.url).href);
} else {
  const { register } = await import("tsx/esm/api");
  register();
  await import(new URL("../src/main.ts", import.meta.url).href);
}
