/** A file that a lab has from the moment it is up: without it, what is there was interrupted. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ComponentName } from "./components/catalogue.ts";
import { type Lab, paths } from "./lab.ts";

/** Programs that the laptop's user has installed. */
export const laptopTools = ["kubectl", "velero", "kopia"] as const satisfies readonly ComponentName[];

export interface State {
  /** Where the programs lie, so that `exec` need not look for them. */
  readonly tools: Readonly<Record<(typeof laptopTools)[number], string>>;
}

/** Undefined when the lab is not up. */
export const readState = (lab: Lab): State | undefined =>
  existsSync(paths(lab).state) ? (JSON.parse(readFileSync(paths(lab).state, "utf8")) as State) : undefined;

export const writeState = (lab: Lab, state: State): void => writeFileSync(paths(lab).state, JSON.stringify(state));

export const forgetState = (lab: Lab): void => rmSync(paths(lab).state, { force: true });
