/** kopia's progress lines. */
import type { RestoreProgress } from "./port.ts";

const units: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** "Processed 1201 (3.4 MB) of 5012 (60 MB) …" → what is done, of the last such line. Bytes are as exact as kopia's text. */
export const parseProgress = (text: string): RestoreProgress | undefined => {
  const last = [...text.matchAll(/Processed (\d+) \(([\d.]+) (\w+)\)/g)].at(-1);
  const factor = units[last?.[3] ?? ""];
  return last === undefined || factor === undefined
    ? undefined
    : { files: Number(last[1]), bytes: Math.round(Number(last[2]) * factor) };
};
