/** What stands still for Holdfast now: for which operation, since when, and whether that is too long. Pure. */
import { isFailure } from "../../model/failure.ts";
import { formatAge } from "../../model/units.ts";
import { operationIdPattern } from "../journal/port.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import { deployerKey, type Deployers, deployerText } from "./deployers.ts";
import { frozenAnnotation, recordOf } from "./freezing.ts";
import type { Deployer } from "./port.ts";

/** One operation that holds one deployer still. */
export interface Freeze {
  readonly deployer: Deployer;
  /** Undefined when the annotation does not tell. */
  readonly operation: string | undefined;
  /** ms since 1970, by the clock of the process that froze it; undefined when the annotation does not tell. */
  readonly since: number | undefined;
}

/** All that stand still. Whatever is written in an annotation, nothing is thrown. Cost: one pass. */
export const freezesOf = ({
  applications,
  sets,
}: Readonly<Record<keyof Deployers, readonly KubeObject[]>>): readonly Freeze[] => [
  ...applications.flatMap((object) => freezesOn("Application", object)),
  ...sets.flatMap((object) => freezesOn("ApplicationSet", object)),
];

const freezesOn = (kind: Deployer["kind"], object: KubeObject): readonly Freeze[] => {
  const { annotations, namespace = "", name } = object.metadata;
  if (annotations?.[frozenAnnotation] === undefined) return [];
  const deployer = { kind, namespace, name };
  const entries = entriesOf(object);
  // The id is shown within a command to be typed, so nothing else may stand there.
  const named = entries.filter(([operation]) => operationIdPattern.test(operation));
  const freezes = named.map(([operation, since]) => ({ deployer, operation, since: timeOf(since) }));
  if (named.length > 0 && named.length === entries.length) return freezes;
  return [...freezes, { deployer, operation: undefined, since: undefined }];
};

const entriesOf = (object: KubeObject): readonly (readonly [operation: string, since: string])[] => {
  try {
    return Object.entries(recordOf(object)?.by ?? {});
  } catch (error) {
    if (!isFailure(error)) throw error;
    return [];
  }
};

const timeOf = (text: string): number | undefined => {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
};

/**
 * ms. An undelete of bytes that exist holds GitOps for seconds; one that brings files back from a copy may rightly take
 * longer. So this is when somebody is told, never when it is let go: let go in the middle, GitOps deletes or makes anew
 * what is being worked on.
 */
const longestExpected = 900_000;

/** From when on it is overdue, ms since 1970: from the beginning, where nobody knows since when it stands. */
export const overdueFrom = ({ since }: Freeze): number => (since === undefined ? 0 : since + longestExpected + 1);

export const isOverdue = (freeze: Freeze, now: number): boolean => now >= overdueFrom(freeze);

/** Tells freezes apart. */
export const freezeKey = ({ deployer, operation = "", since = 0 }: Freeze): string =>
  `${deployerKey(deployer)} ${operation} ${since}`;

/** "the operation 20261125t1530-ab12cd" */
export const holderText = ({ operation }: Freeze): string =>
  operation === undefined ? "an operation that is not known" : `the operation ${operation}`;

/** One line, no full stop: what stands still, for whom, for how long. */
export const freezeText = (freeze: Freeze, now: number): string => {
  const age = freeze.since === undefined ? "nobody knows since when" : `for ${formatAge(now - freeze.since)}`;
  return `${deployerText(freeze.deployer)} is held still by ${holderText(freeze)}, ${age}`;
};

/** What ends it, when the operation does not run any more: one line, no full stop. */
export const wayOut = ({ operation }: Freeze): string =>
  operation === undefined
    ? `its annotation ${frozenAnnotation} is damaged; docs/guard.md says how to put back by hand what it tells of`
    : `\`holdfast resume ${operation}\` goes on, \`holdfast undo ${operation}\` goes back`;
