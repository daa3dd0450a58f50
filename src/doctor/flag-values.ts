/** Values that arguments give to a flag, in both spellings: "--flag=value" and "--flag value". The last one counts. */
export const flagValues = (args: readonly string[], flag: string): readonly string[] =>
  args.flatMap((arg, index) => {
    if (arg.startsWith(`${flag}=`)) return [arg.slice(flag.length + 1)];
    const next = args[index + 1];
    return arg === flag && next !== undefined ? [next] : [];
  });
