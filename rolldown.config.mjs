/** Bundles the program that runs in Holdfast's own pods: one file, and SQLite's WebAssembly beside it. */
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig } from "rolldown";

const wasm = createRequire(import.meta.url).resolve("node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm");

export default defineConfig({
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
});
