import type { CommandContext } from "@stricli/core";
import type { Context } from "../context.ts";

/** What a command's body gets as `this`. */
export interface CliContext extends CommandContext {
  readonly context: Context;
  /** Sets the process' exit status for a command that ends without a failure. */
  setExitStatus(status: number): void;
}
