/** The exit statuses, as help and documents list them. */
export const exitStatuses: Readonly<Record<number, string>> = {
  0: "ok",
  1: "failure",
  2: "the command line, holdfast.yaml or a name is wrong",
  3: "partial: something was done, something is missing",
  4: "a volume is not protected, or its newest good copy is older than the RPO",
  5: "refused before anything was changed",
  6: "verification failed",
  10: "no copy found",
  11: "locked by somebody else",
  130: "interrupted",
};

export const exitStatusHelp = `Every volume of your cluster, provably recoverable.

EXIT STATUS
${Object.entries(exitStatuses)
  .map(([status, meaning]) => `  ${status.padStart(3)}  ${meaning}`)
  .join("\n")}`;
