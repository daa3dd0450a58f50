/** Wraps a command's body: opens the world, prints failures, sets the exit status. */
import type { CliContext } from "./cli-context.ts";
import { asFailure, exitStatusOf, failureData, failureText } from "./failure-text.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { openWorld, type World } from "./world.ts";

interface BodyFlags extends WorldFlags {
  readonly output?: OutputFormat;
  readonly json?: boolean;
}

type Body<F, A extends readonly (string | undefined)[]> = (
  cli: CliContext,
  world: World,
  flags: F,
  ...args: A
) => Promise<void>;

/** The function that stricli calls. */
export const commandBody = <F extends BodyFlags, A extends readonly (string | undefined)[]>(body: Body<F, A>) =>
  async function run(this: CliContext, flags: F, ...args: A): Promise<void> {
    try {
      await body(this, await openWorld(this.context, flags), flags, ...args);
    } catch (thrown) {
      const error = asFailure(thrown, this.context);
      const asData = flags.json === true || flags.output === "json";
      this.context.stderr.write(asData ? `${JSON.stringify(failureData(error))}\n` : failureText(error, this.context));
      this.setExitStatus(exitStatusOf(error));
    }
  };
