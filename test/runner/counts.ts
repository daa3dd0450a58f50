/** What is counted of a stage, and how it is read from vitest's report. */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { checkout } from "../../lab/lab.ts";

/** What a stage counted, and the failures by name. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What failed and how it was said, a text each; may name fewer than `failed`. */
  readonly failures?: readonly string[];
  /** The files that took longest, longest first: what to look at when a run takes too long. */
  readonly slowest?: readonly Duration[];
}

interface Duration {
  readonly file: string;
  readonly seconds: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly VitestFile[];
}

interface VitestFile {
  readonly name: string;
  /** Why the file could not be run; empty where it could. */
  readonly message: string;
  /** ms since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[] | null;
  }[];
}

/** An error without the calls of the test runner itself, and without where this checkout lies: results are committed. */
const ownFrames = (text: string): string =>
  text.replaceAll(/\n\s+at [^\n]*(?:node_modules|new Promise)[^\n]*/g, "").replaceAll(`${checkout}/`, "");

/** The names of the tests that did not pass, and what they said: hours of output may stand between a test and the end. */
export const failuresOf = (files: readonly VitestFile[]): readonly string[] =>
  files.flatMap(({ name, message, assertionResults }) => {
    const file = relative(checkout, name);
    const tests = assertionResults
      .filter(({ status }) => status !== "passed")
      .map(({ fullName, status, failureMessages }) =>
        [`${file}: ${fullName}`, ...(failureMessages?.length ? failureMessages.map(ownFrames) : [status])].join("\n"),
      );
    return message === "" ? tests : [...tests, `${file}: ${message}`];
  });

const notedFiles = 5;
/** Of all that a stage took: what is below is not worth a line. */
const notedShare = 0.05;

/** The files that took a good part of all the time, longest first. */
export const slowestOf = (files: readonly VitestFile[]): readonly Duration[] => {
  const durations = files.map(({ name, startTime, endTime }) => ({
    file: relative(checkout, name),
    seconds: Math.round((endTime - startTime) / 100) / 10,
  }));
  const all = durations.reduce((sum, { seconds }) => sum + seconds, 0);
  return durations
    .filter(({ seconds }) => seconds > all * notedShare)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, notedFiles);
};

/** What vitest has written into a file, and the status that it ended with. */
export const countsOf = (file: string, code: number): Counts => {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  const failed = report.numFailedTests + report.numPendingTests + report.numTodoTests;
  // An error outside any test (an unhandled rejection, a file that does not load) shows only in the exit status.
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    failures: failuresOf(report.testResults),
    slowest: slowestOf(report.testResults),
  };
};
