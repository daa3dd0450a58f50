/** Opens each repository that a job needs once, with the secrets beside the job. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { secretFileNames } from "../systems/agent/files.ts";
import { KopiaRepository } from "../systems/kopia/cli.ts";
import type { Repository } from "../systems/kopia/port.ts";
import { repositoryPrefix } from "../systems/velero/bucket-layout.ts";
import type { AgentContext } from "./agent-context.ts";
import type { StoreReference } from "./job.ts";

/** Opens the repository of a namespace. */
export type OpenRepository = (namespace: string) => Promise<Repository>;

export interface Repositories {
  readonly open: OpenRepository;
  close(): Promise<void>;
}

export const openRepositories = async (context: AgentContext, store: StoreReference): Promise<Repositories> => {
  const { places } = context;
  const secret = (name: string): Promise<string> => readFile(join(places.job, name), "utf8");
  const [accessKeyId, secretAccessKey, password] = await Promise.all([
    secret(secretFileNames.accessKeyId),
    secret(secretFileNames.secretAccessKey),
    secret(secretFileNames.password),
  ]);
  const opened = new Map<string, Promise<KopiaRepository>>();
  const openOne = (namespace: string): Promise<KopiaRepository> =>
    KopiaRepository.open(
      {
        endpoint: store.endpoint,
        bucket: store.bucket,
        region: store.region,
        prefix: repositoryPrefix(store.prefix, namespace),
        accessKeyId,
        secretAccessKey,
        password,
        caFile: store.privateCa ? join(places.job, secretFileNames.ca) : undefined,
      },
      {
        binary: places.kopia,
        scratch: join(places.scratch, "kopia", namespace),
        clock: context.clock,
        signal: context.signal,
      },
    );
  return {
    open: (namespace) => {
      const repository = opened.get(namespace) ?? openOne(namespace);
      opened.set(namespace, repository);
      return repository;
    },
    close: async () => {
      const all = await Promise.allSettled(opened.values());
      await Promise.all(all.flatMap((result) => (result.status === "fulfilled" ? [result.value.close()] : [])));
    },
  };
};
