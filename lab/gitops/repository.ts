/** Git repositories on disk, where their `file://` address finds them. Each has a working tree: people may commit by hand. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../shell/run.ts";

/** The only branch. */
export const branch = "main";

/** Paths are relative to the repository. */
export interface Change {
  /** The text that each file is to have. */
  readonly write?: Readonly<Record<string, string>>;
  /** Files that are to go. It is an error when one is not there. */
  readonly remove?: readonly string[];
}

export interface Repository {
  readonly dir: string;
  /** The newest commit. */
  head(): Promise<string>;
  /** Every file of the newest commit. */
  files(): Promise<readonly string[]>;
  /** Commits a change, and nothing else that somebody may have staged; gives the newest commit. Without a difference none is made. */
  commit(message: string, change: Change): Promise<string>;
  /** Commits the opposite of a commit; gives the new one. Fails when later commits are in the way. */
  revert(revision: string): Promise<string>;
  /** The newest commit whose first line is exactly this. */
  newestCalled(title: string): Promise<string | undefined>;
}

/** Nothing of the user's own settings counts, nor the repository in whose hook this may be running. */
const environment: Readonly<Record<string, string | undefined>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Lab",
  GIT_AUTHOR_EMAIL: "lab@laptop.lab",
  GIT_COMMITTER_NAME: "Lab",
  GIT_COMMITTER_EMAIL: "lab@laptop.lab",
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
};

const git = async (dir: string, ...words: readonly string[]): Promise<string> =>
  (await run("git", ["-C", dir, ...words], { env: environment })).stdout.trim();

const lines = (text: string): readonly string[] => (text === "" ? [] : text.split("\n"));

const writeFiles = (dir: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
};

/** Whether a repository is there. */
export const isRepository = (dir: string): boolean => existsSync(join(dir, ".git"));

/** A repository that is there. */
export const openRepository = (dir: string): Repository => {
  const head = (): Promise<string> => git(dir, "rev-parse", "HEAD");
  return {
    dir,
    head,
    files: async () => lines(await git(dir, "ls-tree", "-r", "--name-only", "HEAD")),
    commit: async (message, { write = {}, remove = [] }) => {
      const paths = [...Object.keys(write), ...remove];
      if (remove.length > 0) await git(dir, "rm", "--quiet", "--", ...remove);
      writeFiles(dir, write);
      if (Object.keys(write).length > 0) await git(dir, "add", "--", ...Object.keys(write));
      // Of a file that moves git would name only the new place.
      const changed = await git(dir, "diff", "--cached", "--no-renames", "--name-only", "--", ...paths);
      if (changed !== "") await git(dir, "commit", "--quiet", "--message", message, "--", ...lines(changed));
      return head();
    },
    revert: async (revision) => {
      await git(dir, "revert", "--no-edit", revision);
      return head();
    },
    newestCalled: async (title) => {
      const commits = lines(await git(dir, "log", "--format=%H %s"));
      return commits.find((line) => line.slice(line.indexOf(" ") + 1) === title)?.split(" ")[0];
    },
  };
};

/** Makes a repository with a first commit. Others than root may read it: Argo CD does not run as root. */
export const makeRepository = async (
  dir: string,
  message: string,
  files: Readonly<Record<string, string>>,
): Promise<Repository> => {
  mkdirSync(dir, { recursive: true });
  await git(dir, "init", "--quiet", `--initial-branch=${branch}`, "--shared=0644");
  const repository = openRepository(dir);
  writeFiles(dir, files);
  await git(dir, "add", "--all");
  await git(dir, "commit", "--quiet", "--message", message);
  return repository;
};
