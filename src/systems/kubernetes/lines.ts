/** Whole lines of a stream of UTF-8 bytes, without their line ends; a last line without an end counts too. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  // The start of a line is kept in parts: joining it anew for every chunk would be quadratic for one huge line.
  let parts: string[] = [];
  for await (const chunk of bytes) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    const last = pieces.pop() ?? "";
    for (const piece of pieces) {
      yield withoutCarriageReturn(parts.join("") + piece);
      parts = [];
    }
    parts.push(last);
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield withoutCarriageReturn(rest);
}

const withoutCarriageReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
