/** Points in time as people write them: "2h ago", "yesterday", "2026-11-22", "2026-11-22 21:30", ISO 8601. */
import { Failure } from "../model/failure.ts";
import { parseDuration } from "../model/units.ts";

const long: Readonly<Record<string, string>> = { second: "s", minute: "m", min: "m", hour: "h", day: "d", week: "w" };

/** Milliseconds since 1970. A day without a time means its end: the newest copy of that day. Throws USAGE. */
export const parseMoment = (text: string, now: number): number => {
  const wanted = text.trim().toLowerCase();
  const moment = relative(wanted, now) ?? named(wanted, now) ?? absolute(text.trim());
  if (moment !== undefined && !Number.isNaN(moment)) return moment;
  throw new Failure("USAGE", {
    what: `"${text}" is not a time.`,
    todo: 'Write "2h ago", "yesterday", "2026-11-22", or "2026-11-22T21:30:00Z".',
  });
};

const relative = (text: string, now: number): number | undefined => {
  const [, span] = /^(.+?)\s+ago$/.exec(text) ?? [];
  if (span === undefined) return undefined;
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(span) ?? [];
  const short = long[unit.replace(/s$/, "")] ?? unit;
  const duration = parseDuration(span) ?? parseDuration(`${amount}${short}`);
  return duration === undefined ? undefined : now - duration;
};

/** By the calendar: a day is not always 24 hours long. */
const endOfDay = (year: number, month: number, day: number): number => new Date(year, month, day + 1).getTime() - 1;

const named = (text: string, now: number): number | undefined => {
  if (text === "now") return now;
  if (text !== "yesterday") return undefined;
  const today = new Date(now);
  return endOfDay(today.getFullYear(), today.getMonth(), today.getDate() - 1);
};

const absolute = (text: string): number | undefined => {
  const [, year, month, day, rest] = /^(\d{4})-(\d{2})-(\d{2})([T ]\d{2}:\d{2}.*)?$/.exec(text) ?? [];
  if (year === undefined || !isDay(Number(year), Number(month), Number(day))) return undefined;
  return rest === undefined
    ? endOfDay(Number(year), Number(month) - 1, Number(day))
    : Date.parse(text.replace(" ", "T"));
};

/** JavaScript takes the 31st of February for the 3rd of March. */
const isDay = (year: number, month: number, day: number): boolean => {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};
