/**
 * Bundles what runs: the program of Holdfast's own pods, one file with SQLite's WebAssembly beside it; and the CLI, whose
 * commands are files of their own, loaded when they are called.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig } from "rolldown";

const wasm = createRequire(import.meta.url).resolve("node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm");

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
    // A command that runs may still load what an earlier build has made, so nothing is taken away. Names stay, for whoever
    // reports a defect; without comments and indentation there is a third less to be parsed at each start.
    output: {
      dir: "dist/cli",
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name]-[hash].mjs",
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    },
  },
]);
