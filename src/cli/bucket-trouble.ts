/** What keeps the bucket from being read, for commands that are of use without it too. */
import { type Failure, isFailure } from "../model/failure.ts";

/** True for a bucket that does not answer or may not be read, a secret of its that is missing, and another cluster's. */
export const isBucketTrouble = (error: unknown): error is Failure =>
  isFailure(error) && /^(BUCKET_|SECRET_|FENCED)/.test(error.code);
