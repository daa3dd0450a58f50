/** Programs that are installed already. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { run, RunError } from "../shell/run.ts";
import type { Component } from "./catalogue.ts";

const probeTimeoutMs = 5000;

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The first executable of that name in a PATH. */
const findOnPath = (name: string, path = ""): string | undefined =>
  path
    .split(delimiter)
    .filter((dir) => dir.startsWith("/"))
    .map((dir) => join(dir, name))
    .find(isExecutable);

/** Tells whether what a program says of itself is exactly the wanted version. */
const saysVersion = (output: string, pattern: RegExp, wanted: string): boolean => {
  const said = pattern.exec(output)?.[1];
  return said !== undefined && said.replace(/^v/, "") === wanted.replace(/^v/, "");
};

/** The path of a component that PATH has in exactly the pinned version. */
export const installedPath = async (component: Component, path: string | undefined): Promise<string | undefined> => {
  const { name, probe, version } = component;
  const found = probe === undefined ? undefined : findOnPath(name, path);
  if (probe === undefined || found === undefined) return undefined;
  try {
    const { stdout, stderr } = await run(found, probe.args, { timeoutMs: probeTimeoutMs });
    return saysVersion(`${stdout}${stderr}`, probe.version, version) ? found : undefined;
  } catch (error) {
    if (error instanceof RunError) return undefined;
    throw error;
  }
};
