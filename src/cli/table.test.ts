import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTable } from "./table.ts";

describe("a table", () => {
  it("has upper-case heads, three spaces between columns, and no spaces at the ends of lines", () => {
    const text = formatTable(
      ["NAME", "AGE", "NOTE"],
      [
        ["media/sonarr", "2h", "fine"],
        ["a", "-", ""],
      ],
    );
    expect(text).toBe("NAME           AGE   NOTE\nmedia/sonarr   2h    fine\na              -\n");
  });

  it("is its heads alone when there are no rows", () => {
    expect(formatTable(["A", "B"], [])).toBe("A   B\n");
  });

  it("keeps what would steer the terminal or break the line out of its cells", () => {
    const text = formatTable(["A", "B"], [["x\n\ty", "\u001B[31mred\u001B[0m\r\u009B2J\u2028z\u007F"]]);
    expect(text).toBe("A     B\nx y    [31mred [0m 2J z\n");
  });

  it("counts a character beyond 16 bits as one", () => {
    expect(
      formatTable(
        ["A", "B"],
        [
          ["😀", "x"],
          ["ab", "x"],
        ],
      ),
    ).toBe("A    B\n😀    x\nab   x\n");
  });

  it("puts every column at one place, whatever its cells hold", () => {
    const cell = fc.stringMatching(/^[a-zä/0-9-]{1,12}$/u);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 8 }), (rows) => {
        const lines = formatTable(["ONE", "TWO", "THREE"], rows).trimEnd().split("\n");
        expect(lines).toHaveLength(rows.length + 1);
        const [head = ""] = lines;
        for (const [index, row] of rows.entries()) {
          const line = lines[index + 1] ?? "";
          const places = [0, head.indexOf("TWO"), head.indexOf("THREE")];
          expect(places.map((place, column) => line.slice(place).startsWith(row[column] ?? ""))).toEqual([
            true,
            true,
            true,
          ]);
          expect(line.slice(0, places[1]).endsWith("   ")).toBe(true);
        }
      }),
    );
  });
});
