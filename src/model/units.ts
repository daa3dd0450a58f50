/** Amounts as people write and read them. */

const steps = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** "0 B", "1.5 KiB", "578 MiB": three digits at the most, binary units. */
export const formatBytes = (bytes: number): string => {
  let value = bytes;
  let step = 0;
  while (value >= 1023.5 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  const digits = step === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${steps[step]}`;
};

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of "24h", "90m", "1h30m", "7d"; undefined for anything else. */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g))
    total += Number(amount) * (milliseconds[unit ?? ""] ?? 0);
  return Number.isFinite(total) ? total : undefined;
};

/** "45s", "12m", "3h", "2d", "5w": one unit, rounded down, as kubectl shows ages. */
export const formatAge = (age: number): string => {
  const seconds = Math.max(0, Math.floor(age / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
};

/** "0.4 s", "34 s", "2 min 5 s". */
export const formatSeconds = (time: number): string => {
  const seconds = time / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

/** A time in ms since 1970 as RFC 3339 has it, to the second: "2026-11-26T07:50:00Z". */
export const formatTime = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
