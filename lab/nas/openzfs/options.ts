/** The options of OpenZFS' commands that Holdfast uses: short ones, alone or together, some with a value behind them. */

export interface Options {
  readonly flags: ReadonlySet<string>;
  /** Values by letter, in their order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

/** `valued` holds the letters that take a value. Throws for any letter that is in neither. */
export const parseOptions = (args: readonly string[], flags: string, valued = ""): Options => {
  const found = { flags: new Set<string>(), values: new Map<string, string[]>(), operands: [] as string[] };
  const left = [...args];
  while (left[0]?.startsWith("-") === true && left[0].length > 1) {
    for (const letter of left.shift()?.slice(1) ?? "") {
      if (valued.includes(letter)) found.values.set(letter, [...(found.values.get(letter) ?? []), left.shift() ?? ""]);
      else if (flags.includes(letter)) found.flags.add(letter);
      else throw new Error(`invalid option '${letter}'`);
    }
  }
  found.operands.push(...left);
  return found;
};
