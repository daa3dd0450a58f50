/** Cuts the objects of a list out of the text of an answer, as the server wrote them. */

const key = /\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*/y;
const structure = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;
const scalar = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,\]}]+/y;
const space = /[\s,]*/y;

/**
 * The texts of the members of the list's `items`, each exactly as it stands in `text`, which must be JSON. Empty when
 * there are none, or null. Cost: one pass over the text.
 */
export const itemTexts = (text: string): readonly string[] => {
  const start = itemsStart(text);
  if (start === undefined || text[start] !== "[") return [];
  const items: string[] = [];
  let at = skip(space, text, start + 1);
  while (at < text.length && text[at] !== "]") {
    const end = valueEnd(text, at);
    items.push(text.slice(at, end));
    at = skip(space, text, end);
  }
  return items;
};

/** Where the value of the outermost object's `items` begins. */
const itemsStart = (text: string): number | undefined => {
  let at = text.indexOf("{") + 1;
  for (;;) {
    key.lastIndex = skip(space, text, at);
    const found = key.exec(text);
    if (found === null) return undefined;
    if (JSON.parse(found[1] ?? "") === "items") return key.lastIndex;
    at = valueEnd(text, key.lastIndex);
  }
};

const valueEnd = (text: string, start: number): number => {
  if (text[start] !== "{" && text[start] !== "[") return skip(scalar, text, start);
  let depth = 0;
  structure.lastIndex = start;
  for (;;) {
    const token = structure.exec(text)?.[0];
    if (token === undefined) return text.length;
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (depth === 0) return structure.lastIndex;
  }
};

/** The index after what a sticky expression matches at `start`. */
const skip = (expression: RegExp, text: string, start: number): number => {
  expression.lastIndex = start;
  return expression.test(text) ? expression.lastIndex : start;
};
