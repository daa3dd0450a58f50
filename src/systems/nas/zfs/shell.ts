/** A shell on the NAS. */

/** How a command line ended. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs command lines on the NAS, one at a time, in the user's own shell, which must be one like sh. Throws `ShellLost`
 * when the answer to a command is lost, and Failures (NAS_UNREACHABLE, NAS_UNTRUSTED, NAS_UNAUTHORIZED) when there is no
 * connection to begin with.
 */
export interface Shell {
  run(line: string): Promise<Answer>;
  /** Ends the connection. May be called twice. */
  close(): Promise<void>;
}

/** The connection broke, or a command took too long. */
export class ShellLost extends Error {
  /** The command was sent: it may have run, or may be running still. */
  readonly mayHaveRun: boolean;

  constructor(message: string, mayHaveRun: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = "ShellLost";
    this.mayHaveRun = mayHaveRun;
  }
}
