/** The journal as files: a folder for each operation, a file for each entry. What the CLI writes. */
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { damaged, taken } from "./failures.ts";
import { byName, inOrder } from "./memory.ts";
import { type JournalStore, operationIdPattern } from "./port.ts";

const fileName = (number: number): string => `${String(number).padStart(6, "0")}.json`;
const filePattern = /^(\d{6})\.json$/;

/** A folder on its way out: no operation has such a name. */
const goneFolder = ".gone-";

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const namesIn = async (directory: string): Promise<readonly string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
};

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

export class FileJournal implements JournalStore {
  readonly #directory: string;
  readonly #randomId: (length: number) => string;

  /** `directory` need not exist. `randomId` names drafts. */
  constructor(directory: string, randomId: (length: number) => string) {
    this.#directory = directory;
    this.#randomId = randomId;
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const operations = (await namesIn(this.#directory)).filter((name) => operationIdPattern.test(name));
    const size = async (operation: string) =>
      (await namesIn(join(this.#directory, operation))).filter((name) => filePattern.test(name)).length;
    const sizes = await Promise.all(operations.map(async (operation) => [operation, await size(operation)] as const));
    // A process may end between making the folder and its first entry: nothing has begun then.
    return byName(sizes.filter(([, entries]) => entries > 0));
  }

  async read(operation: string): Promise<readonly string[]> {
    const directory = join(this.#directory, operation);
    const entries = new Map<number, string>();
    for (const name of await namesIn(directory)) {
      const [, number] = filePattern.exec(name) ?? [];
      if (number === undefined) continue;
      try {
        entries.set(Number(number), await readFile(join(directory, name), "utf8"));
      } catch (error) {
        throw damaged(operation, `${join(directory, name)}: ${codeOf(error) ?? String(error)}`, error);
      }
    }
    return inOrder(operation, entries);
  }

  async remove(operation: string): Promise<void> {
    const gone = join(this.#directory, `${goneFolder}${this.#randomId(8)}`);
    try {
      await rename(join(this.#directory, operation), gone);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
    // Those too that an earlier process was cut off at.
    const leftovers = (await namesIn(this.#directory)).filter((name) => name.startsWith(goneFolder));
    for (const name of leftovers) await rm(join(this.#directory, name), { recursive: true, force: true });
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    const directory = join(this.#directory, operation);
    if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined)
      await syncDirectory(dirname(directory));
    const draft = join(directory, `.draft-${this.#randomId(8)}`);
    try {
      const handle = await open(draft, "wx", 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      // A link, unlike a rename, never replaces what somebody else has written.
      await link(draft, join(directory, fileName(number)));
      await syncDirectory(directory);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw taken(operation, number);
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
}
