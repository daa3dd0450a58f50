/** What the API server said when it did not do what was asked. The cause of the Failures made from it. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The machine's word for it: "AlreadyExists", "Expired"; "" when the answer did not come from Kubernetes. */
  readonly reason: string;
  /** How long the server asks us to wait, when it does. */
  readonly retryAfterMilliseconds: number | undefined;

  constructor(answer: {
    status: number;
    reason: string;
    message: string;
    retryAfterMilliseconds?: number | undefined;
  }) {
    super(answer.message);
    this.status = answer.status;
    this.reason = answer.reason;
    this.retryAfterMilliseconds = answer.retryAfterMilliseconds;
  }

  static {
    this.prototype.name = "ApiError";
  }
}

/** The API server's answer behind a thrown value, if there is one. */
export const apiErrorOf = (error: unknown): ApiError | undefined => {
  if (error instanceof ApiError) return error;
  return error instanceof Error && error.cause instanceof ApiError ? error.cause : undefined;
};

/** Absence is an answer: 404 about an object, or about a kind that the server does not have, gives undefined. */
export const absentAsUndefined = async <T>(answer: Promise<T>): Promise<T | undefined> => {
  try {
    return await answer;
  } catch (error) {
    if (apiErrorOf(error)?.status === 404) return undefined;
    throw error;
  }
};

/** True when the version that a list or a watch wanted to continue from is gone: start again from a new list. */
export const isExpired = (error: unknown): boolean => {
  const answer = apiErrorOf(error);
  return answer?.status === 410 || answer?.reason === "Expired";
};
