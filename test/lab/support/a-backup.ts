/** One recovery point with every volume verified, made once for all test files that need one. */
import type { BackupResult, PointRow, PointsAnswer } from "./answers.ts";
import { answer, lines, succeed } from "./cli.ts";

const isWhole = ({ ours, phase, verified, stored, failed }: PointRow): boolean =>
  ours && phase === "Completed" && verified >= 14 && stored === 0 && failed === 0;

/** The newest whole point; a backup is made when there is none. */
export const ensureBackup = async (): Promise<{ readonly id: string; readonly backup: string }> => {
  const { points } = await answer<PointsAnswer>(["points"]);
  const present = points.find(isWhole);
  if (present !== undefined) return present;
  const stdout = await succeed(["backup", "--wait", "--json"]);
  const result = lines<BackupResult>(stdout).find(({ type }) => type === "result");
  if (result === undefined) throw new Error(`the backup printed no result:\n${stdout}`);
  return { id: result.point, backup: result.backup };
};
