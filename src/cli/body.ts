/** Wraps a command's body: opens the world, prints failures, sets the exit status. */
import type { CliContext } from "./cli-context.ts";
import { asFailure, exitStatusOf, failureData, failureText } from "./failure-text.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { openWorld, type World } from "./world.ts";

interface OutputFlags {
  readonly output?: OutputFormat;
  readonly json?: boolean;
}

type Arguments = readonly (string | undefined)[];
type Body<F, A extends Arguments> = (cli: CliContext, world: World, flags: F, ...args: A) => Promise<void>;
type WorldlessBody<F, A extends Arguments> = (cli: CliContext, flags: F, ...args: A) => Promise<void>;

/** The function that stricli calls, for a command that must work without holdfast.yaml. */
export const worldlessBody = <F extends OutputFlags, A extends Arguments>(body: WorldlessBody<F, A>) =>
  async function run(this: CliContext, flags: F, ...args: A): Promise<void> {
    try {
      await body(this, flags, ...args);
    } catch (thrown) {
      const error = asFailure(thrown, this.context);
      const asData = flags.json === true || flags.output === "json";
      this.context.stderr.write(asData ? `${JSON.stringify(failureData(error))}\n` : failureText(error, this.context));
      this.setExitStatus(exitStatusOf(error));
    }
  };

/** The function that stricli calls. */
export const commandBody = <F extends OutputFlags & WorldFlags, A extends Arguments>(body: Body<F, A>) =>
  worldlessBody<F, A>(async (cli, flags, ...args) => {
    const world = await openWorld(cli.context, flags);
    try {
      await body(cli, world, flags, ...args);
    } finally {
      await world.close();
    }
  });
