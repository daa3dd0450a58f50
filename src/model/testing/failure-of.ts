import { type Failure, isFailure } from "../failure.ts";

/** The Failure with which a call ends. Throws when it succeeds, or throws something else. */
export const failureOf = async (call: Promise<unknown>): Promise<Failure> => {
  const error: unknown = await call.then(
    (value) => new Error(`succeeded with ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (isFailure(error)) return error;
  throw error;
};
