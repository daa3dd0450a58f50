/** Which TrueNAS answers: what differs between releases is decided by this alone. */
import { Failure } from "../../../model/failure.ts";

export interface Version {
  /** 25 of "25.10.1". */
  readonly year: number;
  /** 10 of "25.10.1". */
  readonly month: number;
  /** Digits only: "25.10.1". */
  readonly text: string;
}

const oldest = { year: 24, month: 10 };
/** 26 counts no months any more: 26.0, 26.1. */
const newestYear = 26;

export const isAtLeast = (version: Version, year: number, month: number): boolean =>
  version.year > year || (version.year === year && version.month >= month);

/**
 * Reads `system.version`: "TrueNAS-SCALE-24.10.2", "TrueNAS-25.04.2", "25.10.1". Throws NAS_VERSION_UNKNOWN for what is
 * no such text, and for releases that Holdfast was not made for: they name their methods otherwise.
 */
export const parseVersion = (answer: unknown): Version => {
  const match = typeof answer === "string" ? /(\d+)\.(\d+)(?:\.\d+)*/.exec(answer) : null;
  if (match === null) {
    throw new Failure("NAS_VERSION_UNKNOWN", {
      what: "The NAS does not say which TrueNAS it is.",
      why: `Its version is ${JSON.stringify(answer)?.slice(0, 60)}.`,
    });
  }
  const [text, year, month] = match;
  const version = { year: Number(year), month: Number(month), text };
  if (!isAtLeast(version, oldest.year, oldest.month) || version.year > newestYear) {
    throw new Failure("NAS_VERSION_UNKNOWN", { what: `Holdfast does not know TrueNAS ${text}.` });
  }
  return version;
};
