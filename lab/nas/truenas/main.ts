/**
 * The TrueNAS stand-in as a program: `main.ts --config FILE` serves until SIGTERM or SIGINT; `main.ts --list` prints
 * docs/nas/stand-in.md. What FILE holds is in config.ts, the side door for tests in control.ts.
 */
import { parseArgs } from "node:util";
import { readConfig } from "./config.ts";
import { standInDocument } from "./document.ts";
import { startStandIn } from "./server.ts";

const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);

const serve = async (file: string): Promise<void> => {
  const config = readConfig(file);
  const standIn = await startStandIn(config);
  const addresses = [
    ...(standIn.https === undefined ? [] : [`https ${standIn.https.address}:${standIn.https.port}`]),
    ...(standIn.http === undefined ? [] : [`http ${standIn.http.address}:${standIn.http.port}`]),
  ];
  log(`TrueNAS ${config.version} (stand-in) ready: ${addresses.join(", ")}`);
  await new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await standIn.close();
};

try {
  const { values } = parseArgs({ options: { config: { type: "string" }, list: { type: "boolean", default: false } } });
  if (values.list) process.stdout.write(standInDocument());
  else if (values.config === undefined) throw new Error("usage: main.ts --config FILE | --list");
  else await serve(values.config);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
