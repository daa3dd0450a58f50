/** The alarm of a freeze: tells when an operation holds GitOps still for longer than one should, and when that is over. */
import { deployerText } from "../systems/gitops/deployers.ts";
import {
  type Freeze,
  freezeKey,
  freezesOf,
  freezeText,
  holderText,
  isOverdue,
  overdueFrom,
  wayOut,
} from "../systems/gitops/freezes.ts";
import { type Alarm, looping } from "./looping.ts";
import { tellFailure, type Term } from "./term.ts";

/** ms: Applications change all the time. */
const calm = 1000;
/** ms: a pass without any change, where none becomes overdue before. */
const lookAgain = 3_600_000;

/**
 * Until the term ends. A loop of its own: the guardian may wait for a lock or for a kind that cannot be read, and what
 * stands still may be why. It lets nothing go: it cannot know whether somebody still works. Cost: no calls; one pass over
 * Applications and ApplicationSets for each change, at most one a second.
 */
export const watchingFreezes = (term: Term, alarm: Alarm): Promise<void> => {
  const told = new Map<string, Freeze>();
  const onFailure = (error: unknown): void => tellFailure(term, "watching freezes", error);
  const work = async (): Promise<number> => look(term, told);
  return looping({ ...term, alarm, calm, work, onFailure, randomId: (length) => term.randomId(length) });
};

/** Gives the ms until the next one becomes overdue. */
const look = ({ watched, standing, clock, log }: Term, told: Map<string, Freeze>): number => {
  const now = clock.now();
  const freezes = freezesOf(watched.deployers);
  standing.freezes = freezes;
  for (const freeze of freezes) {
    if (!isOverdue(freeze, now) || told.has(freezeKey(freeze))) continue;
    told.set(freezeKey(freeze), freeze);
    log("error", "frozen", `${freezeText(freeze, now)}: ${wayOut(freeze)}`, fieldsOf(freeze));
  }
  const present = new Set(freezes.map(freezeKey));
  for (const [key, freeze] of told) {
    if (present.has(key)) continue;
    told.delete(key);
    const text = `${deployerText(freeze.deployer)} is not held still by ${holderText(freeze)} any more`;
    log("info", "thawed", text, fieldsOf(freeze));
  }
  const waits = freezes.filter((freeze) => !isOverdue(freeze, now)).map((freeze) => overdueFrom(freeze) - now);
  return Math.min(lookAgain, ...waits);
};

const fieldsOf = ({ deployer, operation }: Freeze) => ({ ...deployer, operation });
