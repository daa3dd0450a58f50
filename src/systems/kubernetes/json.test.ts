import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyJson, decodeJson, encodeJson } from "./json.ts";

describe("JSON with 64-bit integers", () => {
  it.each(["9007199254740993", "-9223372036854775808", "18446744073709551615"])("keeps %s", (digits) => {
    const text = `{"a":[${digits},{"b":${digits}}],"${digits}":"${digits}","c":"\\"${digits}"}`;
    expect(decodeJson(text)).toEqual({
      a: [BigInt(digits), { b: BigInt(digits) }],
      [digits]: digits,
      c: `"${digits}`,
    });
    expect(encodeJson(decodeJson(text))).toBe(text);
  });

  it("leaves numbers that JavaScript can hold as numbers", () => {
    expect(decodeJson('[9007199254740991,-1,1.5,1e3,"x"]')).toEqual([9007199254740991, -1, 1.5, 1000, "x"]);
    expect(decodeJson("[0.12345678901234567890, 9007199254740993]")).toEqual([0.12345678901234568, 9007199254740993n]);
  });

  it("throws SyntaxError for what is not JSON", () => {
    expect(() => decodeJson('{"a":9007199254740993')).toThrow(SyntaxError);
  });

  it("is not fooled by strings that look like its own marks", () => {
    const object = { a: "int64:12345678901234567", b: "int64_int64:1", c: 12345678901234567n, "int64:9": "\\u0069" };
    expect(decodeJson(encodeJson(object))).toEqual(object);
  });

  it("gives back any value as it was", () => {
    const mark = fc.constantFrom("int64:1234567890123456789", "int64_int64:", '"9007199254740993"', "\\");
    const leaf = fc.oneof(
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
      fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
      fc.maxSafeInteger(),
      fc.string(),
      mark,
      fc.boolean(),
      fc.constant(null),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree")),
        fc.dictionary(fc.oneof(fc.string(), mark), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(decodeJson(encodeJson(value))).toEqual(value);
      }),
    );
  });
});

describe("a copy of JSON", () => {
  it("is what reading gives of what was written, whatever the value", () => {
    const leaf = fc.oneof(
      fc.anything({ maxDepth: 0, withBigInt: true, withDate: true }),
      fc.double(),
      fc.date(),
      fc.constant(undefined),
      fc.constant(() => 1),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value"), { maxKeys: 4 }),
      ),
    }));
    const wrapped = fc.record({ value });
    fc.assert(
      fc.property(wrapped, (one) => {
        expect(copyJson(one)).toStrictEqual(decodeJson(encodeJson(one)));
      }),
    );
  });

  it("shares nothing with what was copied", () => {
    const value = { a: [{ b: 1 }] };
    const copy = copyJson(value);
    expect(copy).toEqual(value);
    expect([copy === value, copy.a === value.a, copy.a[0] === value.a[0]]).toEqual([false, false, false]);
  });
});
