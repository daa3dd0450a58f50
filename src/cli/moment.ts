/** Points in time as people write them: "2h ago", "yesterday", "2026-11-22", "2026-11-22 21:30", ISO 8601. */
import { Failure } from "../model/failure.ts";
import { parseDuration } from "../model/units.ts";

const long: Readonly<Record<string, string>> = { second: "s", minute: "m", min: "m", hour: "h", day: "d", week: "w" };

/** Milliseconds since 1970. A day without a time means its end: the newest copy of that day. Throws USAGE. */
export const parseMoment = (text: string, now: number): number => {
  const wanted = text.trim().toLowerCase();
  const moment = relative(wanted, now) ?? named(wanted, now) ?? absolute(text.trim());
  if (moment !== undefined && !Number.isNaN(moment)) return moment;
  throw new Failure("USAGE", { what: `"${text}" is not a time.`, todo: 'Write "2h ago", "yesterday", "2026-11-22", or "2026-11-22T21:30:00Z".' });
};

const relative = (text: string, now: number): number | undefined => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s+ago$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const duration = parseDuration(`${amount}${long[unit] ?? unit}`);
  return duration === undefined ? undefined : now - duration;
};

const endOfDay = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime() - 1;

const named = (text: string, now: number): number | undefined => {
  if (text === "now") return now;
  if (text === "yesterday") return endOfDay(new Date(now - 86_400_000));
  return undefined;
};

const absolute = (text: string): number | undefined => {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year !== undefined) return endOfDay(new Date(Number(year), Number(month) - 1, Number(day)));
  return /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? Date.parse(text.replace(" ", "T")) : undefined;
};
