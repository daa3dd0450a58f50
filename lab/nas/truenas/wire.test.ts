import { describe, expect, it } from "vitest";
import { CallError, instanceNotFound, MatchNotFound, ValidationError, ValidationErrors } from "./call-error.ts";
import { encode, restError, rpcError } from "./wire.ts";

const without = (error: ReturnType<typeof rpcError>): object => {
  const { trace, ...data } = error.data as { readonly trace: object };
  expect(trace).toBeTypeOf("object");
  return { code: error.code, message: error.message, ...data };
};

it("writes 64-bit integers with all their digits", () => {
  expect(encode({ guid: 12_027_696_591_559_268_274n, text: "1" })).toBe('{"guid":12027696591559268274,"text":"1"}');
});

describe("an error", () => {
  it("of a call names its number in JSON-RPC and in REST", () => {
    const error = new CallError("dataset is busy", "EBUSY");
    expect(without(rpcError(error))).toEqual({
      code: -32001,
      message: "Method call error",
      error: 16,
      errname: "EBUSY",
      reason: "[EBUSY] dataset is busy",
      extra: null,
    });
    expect(restError(error)).toEqual({ status: 422, body: { message: "dataset is busy", errno: 16 } });
  });

  it("of arguments names each of them", () => {
    const errors = new ValidationErrors([
      { attribute: "a.b", message: "Field required", errname: "EINVAL" },
      { attribute: "a.c", message: "taken", errname: "EEXIST" },
    ]);
    expect(without(rpcError(errors))).toEqual({
      code: -32602,
      message: "Invalid params",
      error: 22,
      errname: "EINVAL",
      reason: "[EINVAL] a.b: Field required\n[EEXIST] a.c: taken\n",
      extra: [
        ["a.b", "Field required", 22],
        ["a.c", "taken", 17],
      ],
    });
    expect(restError(new ValidationError("a.b", "taken", "EEXIST"))).toEqual({
      status: 422,
      body: { "a.b": [{ message: "taken", errno: 17 }] },
    });
  });

  it("of something that is not there has no attribute and number 2", () => {
    expect(without(rpcError(instanceNotFound("PoolDataset", "tank/x")))).toMatchObject({
      code: -32602,
      reason: "[ENOENT] None: PoolDataset tank/x does not exist",
      extra: [[null, "PoolDataset tank/x does not exist", 2]],
    });
    expect(restError(new MatchNotFound()).status).toBe(404);
  });

  it("of the middleware itself has no name in its text", () => {
    expect(without(rpcError(new Error("'tank/x' not found")))).toMatchObject({
      code: -32001,
      errname: "EINVAL",
      reason: "'tank/x' not found",
    });
  });
});
