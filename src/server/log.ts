/** What the server says as it works: one JSON object a line, for people and for whatever collects logs. */
import type { Clock, Output } from "../context.ts";
import { Failure, messageOf } from "../model/failure.ts";

type Level = "info" | "warn" | "error";
type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** `event` is one word for machines, `text` a sentence for people. */
export type Log = (level: Level, event: string, text: string, fields?: Fields) => void;

/** Lines of `{"time","level","event","text",…}`. JSON leaves nothing in them that could steer a terminal. */
export const logTo =
  (output: Pick<Output, "write">, clock: Pick<Clock, "now">): Log =>
  (level, event, text, fields = {}) =>
    output.write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, event, text, ...fields })}\n`);

/** Anything thrown as fields of a line. No Failure has a secret in its texts; of a defect only the message is told. */
export const fieldsOf = (error: unknown): Fields =>
  error instanceof Failure
    ? { code: error.code, why: error.why, todo: error.todo }
    : { code: "DEFECT", why: messageOf(error) };

/** What happened, in one sentence. */
export const whatOf = (error: unknown): string => (error instanceof Failure ? error.what : messageOf(error));
