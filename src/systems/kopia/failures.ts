/** What kopia's messages mean for a user. The one place that knows its words (kopia 0.22, as Velero 1.18 has it). */
import { Failure } from "../../model/failure.ts";
import type { FailureCode } from "../../model/failure-catalogue.ts";

interface Meaning {
  readonly words: RegExp;
  readonly code: FailureCode;
  readonly todo?: string;
}

const meanings: readonly Meaning[] = [
  {
    words: /invalid repository password/i,
    code: "REPOSITORY_PASSWORD",
    todo: "Correct repository.password in holdfast.yaml: it is what the Secret velero-repo-credentials held when the first backup was made.",
  },
  { words: /x509|certificate/i, code: "BUCKET_UNTRUSTED" },
  {
    words: /access key id you provided|signature we calculated|access denied|invalid access key|forbidden/i,
    code: "BUCKET_DENIED",
    todo: "Check the keys that bucket.credentials names.",
  },
  { words: /bucket does not exist|no such bucket/i, code: "BUCKET_MISSING" },
  {
    words:
      /connection refused|no such host|i\/o timeout|no route to host|network is unreachable|connection reset|server misbehaving/i,
    code: "BUCKET_UNREACHABLE",
  },
  {
    words: /repository not initialized/i,
    code: "COPY_MISSING",
    todo: "Velero has no repository for this namespace under bucket.prefix. Is the prefix right?",
  },
  { words: /no space left on device/i, code: "TARGET_TOO_SMALL" },
  {
    words:
      /blob not found|content not found|object not found|invalid checksum|decrypt|corrupt|unable to (?:open|read) object|encountered \d+ errors|is missing blob|backed by missing blob/i,
    code: "COPY_CORRUPT",
    todo: "Take another point; `holdfast points` lists them.",
  },
];

const ending = 400;

/** Lines that say something: kopia's progress and its hints are left out. */
const tellingLines = (output: string): readonly string[] =>
  output
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== "" && !/^(?:Processed|Verif\w+ \d|Restoring|Finished|NOTICE|Connected|To |http|Kopia)/.test(line),
    );

/** The failure behind an unsuccessful run. `doing` continues "kopia could not ". */
export const kopiaFailure = (doing: string, output: string): Failure => {
  const meaning = meanings.find(({ words }) => words.test(output));
  const why = tellingLines(output).slice(-3).join("; ").slice(-ending);
  return new Failure(meaning?.code ?? "REPOSITORY_FAILED", {
    what: `kopia could not ${doing}.`,
    ...(why === "" ? {} : { why }),
    ...(meaning?.todo === undefined ? {} : { todo: meaning.todo }),
  });
};
