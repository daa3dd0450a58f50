/** What an operation writes down, one entry at a time. Everything that is known of it follows from these (`state.ts`). */
import { z } from "zod";
import { Failure, messageOf } from "../model/failure.ts";
import type { Json, Plan } from "../model/plan.ts";
import type { JournalStore } from "../systems/journal/port.ts";

const json: z.ZodType<Json> = z.json();

const step = z.strictObject({
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  why: z.string(),
  back: z.string(),
  touches: z.array(z.string()),
  repeat: z.enum(["safe", "once"]),
  decides: z.boolean().optional(),
  does: z.enum(["apply", "undo", "redo", "settle"]),
  input: json,
  memo: json.optional(),
});

const plan = z.strictObject({
  version: z.literal(1),
  verb: z.string(),
  title: z.string(),
  locks: z.array(z.string()),
  steps: z.array(step),
  undo: z.strictObject({ kind: z.enum(["kept", "none", "nothing"]), text: z.string() }),
  warnings: z.array(z.string()),
}) as unknown as z.ZodType<Plan>;

const setAside = z.strictObject({ volume: z.string(), where: z.string(), bytes: z.number().optional() });

const common = {
  /** ms since 1970, by the clock of the process that wrote it. */
  time: z.number(),
  /** Names the run: one process' work on this operation. */
  run: z.string(),
};

const entrySchema = z.discriminatedUnion("type", [
  /**
   * The first entry. `of`: the operation that it undoes or settles. `order`: one more than that of any operation that was
   * known when it began; clocks of several machines do not tell what came first.
   */
  z.strictObject({
    ...common,
    type: z.literal("planned"),
    plan,
    of: z.string().optional(),
    order: z.int().optional(),
  }),
  /** Another process goes on with it. */
  z.strictObject({ ...common, type: z.literal("taken-over") }),
  z.strictObject({ ...common, type: z.literal("begun"), step: z.string(), back: z.boolean() }),
  z.strictObject({ ...common, type: z.literal("ended"), step: z.string(), back: z.boolean(), memo: json }),
  z.strictObject({
    ...common,
    type: z.literal("failed"),
    step: z.string().optional(),
    code: z.string(),
    what: z.string(),
    why: z.string().optional(),
  }),
  /** From here on it goes back. */
  z.strictObject({ ...common, type: z.literal("turned") }),
  /** Everything is done, or everything is as it was; or nothing more is done, wherever it stands. */
  z.strictObject({
    ...common,
    type: z.literal("finished"),
    outcome: z.enum(["done", "as-before", "given-up"]),
    setAside: z.array(setAside),
    /** ms since 1970: until then what is set aside stays. */
    until: z.number().optional(),
  }),
]);

export type Entry = z.output<typeof entrySchema>;

/** An entry without what every entry has. */
export type EntryBody = Entry extends infer E ? (E extends Entry ? Omit<E, "time" | "run"> : never) : never;

/** All entries of an operation. Throws OPERATION_UNKNOWN, JOURNAL_UNREADABLE. */
export const readEntries = async (
  journal: JournalStore,
  operation: string,
  size?: number,
): Promise<readonly Entry[]> => {
  const texts = await journal.read(operation, size);
  if (texts.length === 0) throw new Failure("OPERATION_UNKNOWN", { what: `There is no operation "${operation}".` });
  return texts.map((text, index) => {
    try {
      return entrySchema.parse(JSON.parse(text));
    } catch (error) {
      throw new Failure("JOURNAL_UNREADABLE", {
        what: `The journal of the operation ${operation} cannot be read.`,
        why: `entry ${index + 1} is damaged, or of a newer Holdfast: ${messageOf(error)}`,
        cause: error,
      });
    }
  });
};

/** Whether the last entry is one after which none follows. */
export const isOver = (texts: readonly string[]): boolean => {
  try {
    return (JSON.parse(texts.at(-1) ?? "{}") as Pick<Entry, "type">).type === "finished";
  } catch {
    // Whoever reads it learns that it is damaged.
    return false;
  }
};

export const entryText = (entry: Entry): string => `${JSON.stringify(entry)}\n`;
