/** Argo CD's comma lists: "Prune=false,ServerSideApply=true". Pure. */

const split = (text: string): readonly string[] =>
  text
    .split(",")
    .map((option) => option.trim())
    .filter((option) => option !== "");

const nameOf = (option: string): string => option.split("=")[0] ?? option;

/** True when Argo CD reads each wanted option there: case counts, and of two with one name the first. */
export const hasOptions = (text: string | undefined, wanted: readonly string[]): boolean => {
  const present = split(text ?? "");
  return wanted.every((option) => present.find((other) => nameOf(other) === nameOf(option)) === option);
};

/** The list with the wanted options in it, in the place of others of their name; everything else as it stands. */
export const withOptions = (text: string | undefined, wanted: readonly string[]): string => {
  const names = new Set(wanted.map(nameOf));
  // "prune=false" means nothing to Argo CD, and would mislead whoever reads it.
  const isReplaced = (option: string): boolean =>
    [...names].some((name) => name.toLowerCase() === nameOf(option).toLowerCase());
  return [...split(text ?? "").filter((option) => !isReplaced(option)), ...wanted].join(",");
};
