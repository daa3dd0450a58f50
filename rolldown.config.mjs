/**
 * Bundles what runs: the program of Holdfast's own pods, one file with SQLite's WebAssembly beside it; and the CLI, whose
 * commands are files of their own, loaded when they are called.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig } from "rolldown";

const wasm = createRequire(import.meta.url).resolve("node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm");

const folder = "dist/cli";
/** ms. A command that runs may still load what an earlier build has made. */
const longestRun = 86_400_000;

const removeOld = (present) => {
  const old = readdirSync(folder).filter((name) => !present.has(name));
  for (const path of old.map((name) => `${folder}/${name}`))
    if (statSync(path).mtimeMs < Date.now() - longestRun) rmSync(path);
};

export default defineConfig([
  {
    input: "src/agent/main.ts",
    platform: "node",
    output: { file: "dist/agent.mjs", format: "esm", inlineDynamicImports: true },
    plugins: [
      {
        name: "wasm-beside-the-bundle",
        writeBundle: () => {
          mkdirSync("dist", { recursive: true });
          copyFileSync(wasm, "dist/node-sqlite3-wasm.wasm");
        },
      },
    ],
  },
  {
    input: "src/main.ts",
    platform: "node",
    resolve: { mainFields: ["module", "main"] },
    // ssh2's native parts, which it does without where they were not compiled.
    external: /cpufeatures\.node$|sshcrypto\.node$/,
    // Names stay, for whoever reports a defect; without comments and indentation there is a third less to be parsed at
    // each start.
    output: {
      dir: folder,
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name]-[hash].mjs",
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    },
    plugins: [
      { name: "without-what-nothing-loads", writeBundle: (_, bundle) => removeOld(new Set(Object.keys(bundle))) },
    ],
  },
]);
