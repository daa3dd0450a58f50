import { isExpired } from "./api-error.ts";
import type { ObjectList } from "./port.ts";

const pageSize = 500;
/** A collection that changes so fast that it cannot be paged through is read in one piece after this many tries. */
const pagedAttempts = 3;

/** One answer to a list call. */
export interface Page<I> {
  readonly items: readonly I[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

type ReadPage<I> = (query: Readonly<Record<string, string | undefined>>) => Promise<Page<I>>;

/** A whole collection, in pages as long as it holds still. */
export const readAllPages = async <I>(read: ReadPage<I>): Promise<ObjectList<I>> => {
  for (let attempt = 0; attempt < pagedAttempts; attempt += 1) {
    try {
      return await inPages(read);
    } catch (error) {
      if (!isExpired(error)) throw error;
    }
  }
  const { items, metadata } = await read({});
  return { items, resourceVersion: metadata.resourceVersion };
};

const inPages = async <I>(read: ReadPage<I>): Promise<ObjectList<I>> => {
  const all: I[] = [];
  let next: string | undefined;
  for (;;) {
    const { items, metadata } = await read({ limit: String(pageSize), continue: next });
    for (const item of items) all.push(item);
    next = metadata.continue;
    if (!next) return { items: all, resourceVersion: metadata.resourceVersion };
  }
};
