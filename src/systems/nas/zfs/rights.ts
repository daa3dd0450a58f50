/** What a user may do, from `id` and `zfs allow`. */
import type { Rights } from "../port.ts";

/** Who somebody is, as `id` says it: "uid=1000(holdfast) gid=1000(holdfast) groups=1000(holdfast),27(sudo)". */
export interface Who {
  readonly user: string;
  readonly isRoot: boolean;
  readonly groups: readonly string[];
}

export const parseId = (text: string): Who => {
  const user = /uid=(\d+)\(([^)]*)\)/.exec(text);
  const groups = [...(/(?:groups=)(\S+)/.exec(text)?.[1]?.matchAll(/\(([^)]*)\)/g) ?? [])].map(([, name = ""]) => name);
  return { user: user?.[2] ?? "", isRoot: user?.[1] === "0", groups };
};

/**
 * The permissions that `zfs allow DATASET` gives somebody for what is below the dataset: their own, their groups',
 * everyone's, and what the sets among them hold. Those "Local" to a dataset alone, and those at creation, are left out.
 */
export const parseAllowed = (text: string, { user, groups }: Who): readonly string[] => {
  const sets = new Map<string, readonly string[]>();
  const granted = new Set<string>();
  let section = "";
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    if (!/^\s/.test(line)) section = line.trim();
    else if (section.startsWith("Permission sets")) sets.set(words[0] ?? "", (words[1] ?? "").split(","));
    else if (!/Descend[ae]nt/.test(section)) continue;
    else if (isOf(words, user, groups)) for (const one of (words.at(-1) ?? "").split(",")) granted.add(one);
  }
  // A set may hold sets: what is added is looked at as well.
  for (const one of granted) for (const held of sets.get(one) ?? []) granted.add(held);
  return [...granted].filter((one) => !one.startsWith("@")).toSorted();
};

const isOf = ([kind, name]: readonly string[], user: string, groups: readonly string[]): boolean =>
  kind === "everyone" || (kind === "user" && name === user) || (kind === "group" && groups.includes(name ?? ""));

/** What each of the two credentials needs. */
export const neededBy = {
  nas: ["snapshot", "clone", "create", "mount", "promote", "rename", "userprop", "refquota", "volsize"],
  remover: ["destroy", "mount"],
} as const;

/** With each of these, a stolen key can lose data, or give itself the others. */
const dangerous: ReadonlySet<string> = new Set(["destroy", "rollback", "receive", "release", "allow"]);

/** `granted` has one list for each parent dataset: what is lacking on one of them is lacking. */
export const rightsOf = (who: Who, granted: readonly (readonly string[])[], needed: readonly string[]): Rights => {
  if (who.isRoot) return { user: who.user, granted: ["root"], missing: [], excessive: ["root"] };
  const all = [...new Set(granted.flat())].toSorted();
  return {
    user: who.user,
    granted: all,
    missing: needed.filter((one) => !granted.every((list) => list.includes(one))),
    excessive: all.filter((one) => dangerous.has(one) && !needed.includes(one)),
  };
};
