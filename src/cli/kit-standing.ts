/** How `status` says whether a kit is proven. */
import type { KitStanding } from "../kit/standing.ts";

/** For `-o json`. */
export const kitStandingData = (kit: KitStanding): object => ({
  proven: kit.proven,
  reason: kit.proven ? kit.text : kit.because.what,
  checked: kit.checked === undefined ? undefined : new Date(kit.checked).toISOString(),
});

/** What stands below the table. */
export const kitStandingText = (kit: KitStanding): string => {
  if (!kit.proven) return `The kit is NOT proven. ${kit.because.what}\n  do:  ${kit.because.todo ?? ""}`;
  return `Kit ${kit.text}.${kit.old ? " Check it again: `holdfast kit check FILE`." : ""}`;
};
