/** Runs checks side by side, each as soon as those that it needs are done. */
import { catalogue } from "../model/failure-catalogue.ts";
import { isFailure } from "../model/failure.ts";
import type { Check, CheckResult } from "./check.ts";

/**
 * The results in the checks' order. A Failure becomes a failed result and hides no other; anything else that is thrown
 * goes up. A check may only need checks that stand before it.
 */
export const runChecks = (checks: readonly Check[]): Promise<readonly CheckResult[]> => {
  const begun = new Map<string, Promise<CheckResult>>();
  for (const check of checks) {
    const needed = (check.needs ?? []).map((id) => begun.get(id) ?? outOfOrder(check, id));
    begun.set(check.id, resultOf(check, needed));
  }
  return Promise.all(begun.values());
};

const outOfOrder = (check: Check, id: string): never => {
  throw new Error(`${check.id} needs ${id}, which does not stand before it`);
};

const resultOf = async (check: Check, needed: readonly Promise<CheckResult>[]): Promise<CheckResult> => {
  const { id, title } = check;
  const lacking = (await Promise.all(needed)).find(({ verdict }) => verdict === "failed" || verdict === "unknown");
  if (lacking !== undefined) return { id, title, verdict: "unknown", found: `needs ${lacking.id}` };
  try {
    return { id, title, ...(await check.look()) };
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, what, why, todo } = error;
    return { id, title, verdict: "failed", found: sentence(what, why), ...(todo === undefined ? {} : { todo }), code };
  }
};

/** What and why as one text: a reason that is no sentence of its own follows a colon. */
const sentence = (what: string, why: string | undefined): string => {
  if (why === undefined) return what;
  return /^[^A-Z]/.test(why) && what.endsWith(".") ? `${what.slice(0, -1)}: ${why}` : `${what} ${why}`;
};

/** The exit status that the results amount to: that of the first failed one's code, else 0. */
export const exitStatusOf = (results: readonly CheckResult[]): number => {
  const code = results.find(({ verdict }) => verdict === "failed")?.code;
  return code === undefined ? 0 : catalogue[code].exit;
};
