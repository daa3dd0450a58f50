import { describe, expect, it } from "vitest";
import { changeObject } from "./changing.ts";
import { MemoryKubernetes } from "./memory.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";
import { jumpingClock } from "./testing/world.ts";

interface Map extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const name = { namespace: "default", name: "map" };

const aTarget = (attempts?: number) => {
  const kubernetes = new MemoryKubernetes({ clock: jumpingClock(), randomId: () => "a" });
  kubernetes.put(resources.namespaces, { metadata: { name: "default" } });
  kubernetes.put<Map>(resources.configMaps, { metadata: name, data: { count: "1" } });
  let interferences = 0;
  const change = () => kubernetes.mergePatch(resources.configMaps, name, { data: { other: String(interferences) } });
  /** What somebody else does between our look and our write, `times` times. */
  const interfered = (times: number, interfere: () => Promise<unknown> = change) => ({
    ...target,
    kubernetes: new Proxy(kubernetes, {
      get: (inner, key) => {
        const value: unknown = Reflect.get(inner, key, inner);
        if (typeof value !== "function") return value;
        return async (...args: readonly unknown[]) => {
          if (key === "mergePatch" && interferences++ < times) await interfere();
          return Reflect.apply(value, inner, args) as unknown;
        };
      },
    }),
  });
  const target = { kubernetes, resource: resources.configMaps, name, ...(attempts === undefined ? {} : { attempts }) };
  return { target, interfered };
};

const increase = ({ data }: Map): object => ({ data: { count: String(Number(data?.["count"]) + 1) } });

describe("a change of an object by what was read of it", () => {
  it("is made again when somebody else's change came before it, and keeps that one", async () => {
    const { interfered } = aTarget();
    expect((await changeObject<Map>(interfered(2), increase))?.data).toEqual({ count: "2", other: "2" });
  });

  it("is given up after as many attempts as are allowed", async () => {
    const { interfered } = aTarget(2);
    await expect(changeObject<Map>(interfered(2), increase)).rejects.toMatchObject({ code: "KUBERNETES_CONFLICT" });
  });

  it("is not made to what somebody takes away before it", async () => {
    const { target, interfered } = aTarget();
    const taking = interfered(1, () => target.kubernetes.remove(resources.configMaps, name));
    expect(await changeObject<Map>(taking, increase)).toBeUndefined();
  });

  it("is not made where nothing is to change, or nothing is there", async () => {
    const { target } = aTarget();
    const before = await target.kubernetes.get<Map>(resources.configMaps, name);
    expect(await changeObject<Map>(target, () => undefined)).toEqual(before);
    expect(await changeObject<Map>({ ...target, name: { ...name, name: "none" } }, increase)).toBeUndefined();
  });
});
