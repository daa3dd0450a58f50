/** How TrueNAS is asked, whatever the wire: the one thing that its two transports have in common. */
import type { Failure } from "../../../model/failure.ts";
import type { Version } from "./version.ts";

/** Positional parameters, as JSON-RPC takes them. */
export type Params = readonly unknown[];

export interface Api {
  readonly version: Version;
  readonly transport: "json-rpc" | "rest";
  /**
   * Calls what changes nothing. A broken connection is made anew and the call made again. Throws ApiRefusal for an
   * answer that says no, a Failure for everything else.
   */
  read(method: string, params: Params): Promise<unknown>;
  /**
   * Calls what changes something, at most once. Throws Unanswered when it is not known whether it happened; otherwise
   * as `read`.
   */
  change(method: string, params: Params): Promise<unknown>;
  close(): Promise<void>;
}

/** An answer of TrueNAS that says no. Its texts are the NAS' own, without the key. */
export class ApiRefusal extends Error {
  readonly method: string;
  /** Of Linux, or above 200 of TrueNAS' own; 0 where none was given. */
  readonly errno: number;

  constructor(method: string, errno: number, reason: string) {
    super(reason);
    this.method = method;
    this.errno = errno;
  }

  static {
    this.prototype.name = "ApiRefusal";
  }
}

/** A change went out and no answer came: it may have happened. */
export class Unanswered extends Error {
  /** NAS_UNREACHABLE, for when nothing better is found out. */
  readonly failure: Failure;
  /**
   * The connection broke, so what was not done by the time of a new one will not be done. False when the time was over:
   * the NAS may still be at it.
   */
  readonly isOver: boolean;

  constructor(failure: Failure, isOver: boolean) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.isOver = isOver;
  }

  static {
    this.prototype.name = "Unanswered";
  }
}
