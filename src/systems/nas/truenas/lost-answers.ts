import { ApiRefusal, Unanswered } from "./api.ts";

/** Of one change, the first included. */
const attempts = 3;

/**
 * Makes a change. When its answer is lost, `find` looks on the NAS for what it should have done: what is found is the
 * result, and only what is not there is made again. A refusal of a later attempt may come from the first one's success,
 * so it is believed only when nothing is found.
 */
export const withLookUp = async <T>(make: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await make();
    } catch (error) {
      const isLost = error instanceof Unanswered;
      if (!isLost && (attempt === 1 || !(error instanceof ApiRefusal))) throw error;
      const found = await find();
      if (found !== undefined) return found;
      if (!isLost) throw error;
      if (!error.isOver || attempt === attempts) throw error.failure;
    }
  }
};
