/** Errors as TrueNAS' middleware raises them. Everything else that a handler throws is a defect of the stand-in. */

/** Numbers of errors, and TrueNAS' own beyond 200. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ENOTEMPTY: 39,
  EBADMSG: 74,
  ENOMETHOD: 201,
  ENOTAUTHENTICATED: 207,
} as const;

export type ErrorName = keyof typeof errno;

/** A call that failed: JSON-RPC code -32001, REST status 422. */
export class CallError extends Error {
  readonly errname: ErrorName;

  constructor(message: string, errname: ErrorName = "EFAULT") {
    super(message);
    this.name = "CallError";
    this.errname = errname;
  }

  /** With the error's name, as JSON-RPC has it in `reason`. */
  get reason(): string {
    return `[${this.errname}] ${this.message}`;
  }
}

/** One thing wrong with a call's arguments. */
export interface Problem {
  /** The argument's path; null where it is about no argument. */
  readonly attribute: string | null;
  readonly message: string;
  readonly errname: ErrorName;
}

const said = ({ attribute, message, errname }: Problem): string => `[${errname}] ${attribute ?? "None"}: ${message}`;

/** Arguments that are refused: JSON-RPC code -32602, REST status 422. */
export class ValidationErrors extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => `${said(problem)}\n`).join(""));
    this.name = "ValidationErrors";
    this.problems = problems;
  }

  get reason(): string {
    return this.message;
  }
}

/** The one problem of a call; its reason then ends without a line break. */
export class ValidationError extends ValidationErrors {
  constructor(attribute: string | null, message: string, errname: ErrorName = "EINVAL") {
    super([{ attribute, message, errname }]);
    this.name = "ValidationError";
  }

  override get reason(): string {
    return this.message.trimEnd();
  }
}

/** What `get_instance`, `update` and `delete` say of an id that is not there. */
export const instanceNotFound = (service: string, id: string | number): ValidationError =>
  new ValidationError(null, `${service} ${id} does not exist`, "ENOENT");

/** A query with `get` that found nothing: REST status 404. */
export class MatchNotFound extends Error {
  constructor() {
    super("");
    this.name = "MatchNotFound";
  }
}

/** Throws when there is a problem. */
export const refuse = (problems: readonly Problem[]): void => {
  if (problems.length > 0) throw new ValidationErrors(problems);
};
