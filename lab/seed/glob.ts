/** Path patterns: "*" stands for anything within a name, "**" for anything at all. A pattern also covers what lies below. */

const special = /[.+?^${}()|[\]\\]/g;

const toExpression = (pattern: string): string =>
  pattern
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      return part === "*" ? "[^/]*" : part.replace(special, String.raw`\$&`);
    })
    .join("");

const compile = (patterns: readonly string[], tail: string): RegExp | undefined =>
  patterns.length === 0 ? undefined : new RegExp(`^(?:${patterns.map(toExpression).join("|")})${tail}$`, "s");

export interface PathMatcher {
  /** Whether a pattern names the path or a folder above it. */
  readonly covers: (path: string) => boolean;
  /** Whether a pattern may name something directly in this folder, so that things come and go there. */
  readonly mayChange: (folder: string) => boolean;
}

const folderOf = (pattern: string): string => {
  const slash = pattern.lastIndexOf("/");
  if (slash < 0) return ".";
  // "**/name" may be in any folder.
  return pattern.slice(0, slash) === "**" ? "**" : pattern.slice(0, slash);
};

export const pathMatcher = (patterns: readonly string[]): PathMatcher => {
  const paths = compile(patterns, "(?:/.*)?");
  const folders = compile(patterns.map(folderOf), "");
  return { covers: (path) => paths?.test(path) ?? false, mayChange: (folder) => folders?.test(folder) ?? false };
};
