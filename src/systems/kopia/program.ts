/** Runs the kopia program on one repository. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import { kopiaFailure } from "./failures.ts";

export interface RepositoryAccess {
  /** "https://nas.lab:9000" */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Prefix of the repository in the bucket, ending in "/". */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly password: string;
  /** PEM file of the store's private CA, when there is one. */
  readonly caFile: string | undefined;
}

export interface KopiaOptions {
  /** Path of kopia's binary. */
  readonly binary: string;
  /** Where its configuration and caches may lie; this repository's alone. */
  readonly scratch: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface RunOptions {
  /** Continues "kopia could not ". */
  readonly doing: string;
  readonly signal?: AbortSignal;
  readonly onText?: (text: string) => void;
}

const grace = 5000;
/** Characters of standard error that are kept to explain a failure. */
const kept = 20_000;

export class KopiaProgram {
  readonly #access: RepositoryAccess;
  readonly #options: KopiaOptions;

  constructor(access: RepositoryAccess, options: KopiaOptions) {
    this.#access = access;
    this.#options = options;
  }

  /** Opens the repository read-only, under the identity that Velero uses. */
  async connect(): Promise<void> {
    const { endpoint, bucket, region, prefix, caFile } = this.#access;
    const url = new URL(endpoint);
    await mkdir(this.#options.scratch, { recursive: true, mode: 0o700 });
    await this.run(
      [
        "repository",
        "connect",
        "s3",
        `--bucket=${bucket}`,
        `--endpoint=${url.host}`,
        `--region=${region}`,
        `--prefix=${prefix}`,
        "--readonly",
        "--override-username=default",
        "--override-hostname=default",
        "--no-check-for-updates",
        ...(url.protocol === "http:" ? ["--disable-tls"] : []),
        ...(caFile === undefined ? [] : [`--root-ca-pem-path=${caFile}`]),
      ],
      { doing: `open the repository ${prefix} in the bucket "${bucket}" at ${endpoint}` },
    );
  }

  /** Runs kopia to its end and gives its standard output. Throws what its messages mean. */
  async run(words: readonly string[], options: RunOptions): Promise<string> {
    const signal = options.signal ?? this.#options.signal;
    signal.throwIfAborted();
    const child = this.start(words);
    const stop = (): void => void this.end(child);
    signal.addEventListener("abort", stop, { once: true });
    let output = "";
    let errors = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-kept);
      options.onText?.(text);
    });
    const status = await ended(child);
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    if (status !== 0) throw kopiaFailure(options.doing, errors);
    return output;
  }

  /** A running kopia; the caller ends it with `end`. */
  start(words: readonly string[]): ChildProcess {
    return spawn(this.#options.binary, [...words], { env: this.#environment(), stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Asks it to stop, insists after five seconds, and waits until it has ended. */
  async end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const over = new AbortController();
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const late = this.#options.clock.sleep(grace, over.signal).then(
      () => child.kill("SIGKILL"),
      // Aborted: it has ended in time.
      () => false,
    );
    await gone;
    over.abort();
    await late;
  }

  #environment(): Record<string, string> {
    const { accessKeyId, secretAccessKey, password } = this.#access;
    const { scratch } = this.#options;
    return {
      HOME: scratch,
      KOPIA_CONFIG_PATH: join(scratch, "repository.config"),
      KOPIA_CACHE_DIRECTORY: join(scratch, "cache"),
      KOPIA_LOG_DIR: join(scratch, "log"),
      KOPIA_PASSWORD: password,
      KOPIA_PERSIST_CREDENTIALS_ON_CONNECT: "false",
      KOPIA_CHECK_FOR_UPDATES: "false",
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        new Failure("REPOSITORY_FAILED", {
          what: "The kopia program cannot be started.",
          why: error.message,
          cause: error,
        }),
      ),
    );
    child.once("close", resolve);
  });
