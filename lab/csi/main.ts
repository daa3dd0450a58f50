/** The lab's CSI driver as a program: `main.ts controller|node|both --config FILE`. Ends on SIGTERM and SIGINT. */
import { parseArgs } from "node:util";
import { readConfig } from "./config.ts";
import { serveControllers, serveNodes } from "./driver.ts";

const usage = "usage: main.ts controller|node|both --config FILE";

const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);

const main = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { config: { type: "string" } },
    allowPositionals: true,
  });
  const [role] = positionals;
  if (values.config === undefined || (role !== "controller" && role !== "node" && role !== "both"))
    throw new Error(usage);
  const config = readConfig(values.config);
  const served = [
    ...(role === "node" ? [] : await serveControllers(config, log)),
    ...(role === "controller" ? [] : await serveNodes(config, log)),
  ];
  log(`${role} ready`);
  await new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await Promise.all(served.map((one) => one.close()));
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
