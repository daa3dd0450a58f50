/** Work that takes longer than a call. */
import { CallError } from "./call-error.ts";
import { date } from "./wire.ts";

export interface Job {
  readonly id: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Settles as the work does. */
  readonly end: Promise<unknown>;
}

/** What happens to a job, for those who have subscribed to `core.get_jobs`. */
export type JobListener = (event: {
  readonly msg: "added" | "changed";
  readonly id: number;
  readonly fields: object;
}) => void;

export interface JobRequest {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly messageId: unknown;
  readonly work: () => Promise<unknown>;
}

export class Jobs {
  readonly #jobs = new Map<number, Job>();
  readonly #listeners = new Set<JobListener>();

  listen(listener: JobListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start({ method, params, messageId, work }: JobRequest): Job {
    const id = this.#jobs.size + 1;
    const fields: Record<string, unknown> = {
      id,
      message_ids: messageId === undefined ? [] : [messageId],
      method,
      arguments: params,
      state: "RUNNING",
      progress: { percent: 0, description: "", extra: null },
      result: null,
      error: null,
      exception: null,
      exc_info: null,
      time_started: date(Date.now()),
      time_finished: null,
    };
    const end = work().then(
      (result) => this.#finish(fields, { state: "SUCCESS", result }),
      (error: unknown) => {
        const text = error instanceof CallError ? error.reason : String(error);
        this.#finish(fields, { state: "FAILED", error: text, exception: text });
        throw error;
      },
    );
    // Whoever waits for the job gets its error; a job that nobody waits for fails in its own fields.
    end.catch(() => undefined);
    const job = { id, fields, end };
    this.#jobs.set(id, job);
    this.#tell("added", fields);
    return job;
  }

  find(id: number): Job | undefined {
    return this.#jobs.get(id);
  }

  all(): readonly Job["fields"][] {
    return [...this.#jobs.values()].map(({ fields }) => fields);
  }

  #finish(fields: Record<string, unknown>, outcome: Readonly<Record<string, unknown>>): unknown {
    Object.assign(fields, outcome, { time_finished: date(Date.now()) });
    this.#tell("changed", fields);
    return outcome.result;
  }

  #tell(msg: "added" | "changed", fields: Readonly<Record<string, unknown>>): void {
    for (const listener of this.#listeners) listener({ msg, id: fields.id as number, fields: { ...fields } });
  }
}
