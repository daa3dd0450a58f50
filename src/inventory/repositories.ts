/** The kopia repositories below Velero's prefix, and whether a password opens them. */
import { mapLimited } from "../model/concurrency.ts";
import { Failure } from "../model/failure.ts";
import { formatBlobName, opensRepository } from "../systems/kopia/password.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { repositoriesPrefix, repositoryPrefix } from "../systems/velero/bucket-layout.ts";

export interface OpenedRepositories {
  /** Namespaces whose repositories the password opens. */
  readonly opened: readonly string[];
  /** Namespaces whose repositories it does not open. */
  readonly closed: readonly string[];
}

/**
 * Tries the password on every repository that there is. Both lists are empty before the first backup. Throws
 * REPOSITORY_FAILED for a repository that nobody can open. Cost: one small read and a fifth of a second each.
 */
export const openRepositories = async (
  bucket: Bucket,
  prefix: string,
  password: string,
): Promise<OpenedRepositories> => {
  const namespaces: string[] = [];
  for await (const folder of bucket.folders(repositoriesPrefix(prefix)))
    namespaces.push(folder.split("/").at(-2) ?? "");
  // Two at a time: each takes 64 MiB.
  const opened = await mapLimited(namespaces, 2, (namespace) =>
    opens(bucket, repositoryPrefix(prefix, namespace), password),
  );
  return {
    opened: namespaces.filter((_, index) => opened[index] === true),
    closed: namespaces.filter((_, index) => opened[index] === false),
  };
};

const opens = async (bucket: Bucket, prefix: string, password: string): Promise<boolean> => {
  const key = `${prefix}${formatBlobName}`;
  const content = await bucket.get(key);
  if (content === undefined) {
    throw new Failure("REPOSITORY_FAILED", {
      what: `The repository ${prefix} has no ${formatBlobName}.`,
      why: "without it nothing in it can be opened",
      todo: "kopia repository repair brings it back from the repository's other objects.",
    });
  }
  return opensRepository(content.body, password);
};
