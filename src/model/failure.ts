import { catalogue, type FailureCode } from "./failure-catalogue.ts";

/** What every failure says: which one (`code`), what happened, why, and what to do about it. */
export interface FailureDetails {
  /** One sentence: what did not work, with the names that matter. */
  readonly what: string;
  /** The reason, as far as it is known. */
  readonly why?: string;
  /** What the user can do now, as a command or a sentence. */
  readonly todo?: string;
  readonly cause?: unknown;
}

/**
 * An error that a user is meant to read. Anything else that is thrown is a defect of Holdfast.
 * The exit status comes from the catalogue; secrets never go into any of the texts.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly what: string;
  readonly why: string | undefined;
  readonly todo: string | undefined;

  constructor(code: FailureCode, details: FailureDetails) {
    super(`${code}: ${details.what}`, { cause: details.cause });
    this.code = code;
    this.what = details.what;
    this.why = details.why;
    this.todo = details.todo ?? catalogue[code].todo;
  }

  /** The process' exit status for this failure (design §11). */
  get exitCode(): number {
    return catalogue[this.code].exit;
  }

  static {
    this.prototype.name = "Failure";
  }
}

/** True for a Failure, with one of the codes when any are named. */
export const isFailure = (error: unknown, ...codes: readonly FailureCode[]): error is Failure =>
  error instanceof Failure && (codes.length === 0 || codes.includes(error.code));

/** One line of text for any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
