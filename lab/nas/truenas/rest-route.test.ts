import { describe, expect, it } from "vitest";
import { CallError } from "./call-error.ts";
import type { Release } from "./release.ts";
import { routeOf } from "./rest-route.ts";

const route = (verb: string, address: string, body?: unknown, release: Release = "25.10") => {
  const [path = "", query = ""] = address.split("?");
  const found = routeOf({ verb, path, query: new URLSearchParams(query), body }, release);
  return found === undefined ? undefined : [found.method.name, found.params, found.resource];
};

describe("a REST request", () => {
  it("reads one thing by a query, so that what is missing is 404", () => {
    expect(route("GET", "/pool/dataset/id/tank%2Fa?extra.snapshots=1")).toEqual([
      "pool.dataset.query",
      [[["id", "=", "tank/a"]], { get: true, extra: { snapshots: 1 } }],
      "/pool/dataset/id/{id_}",
    ]);
  });

  it("reads many, by fields and options", () => {
    expect(route("GET", "/sharing/nfs?path=/mnt/a&enabled=true&id__gt=3&limit=5&sort=-id")?.[1]).toEqual([
      [
        ["path", "=", "/mnt/a"],
        ["enabled", "=", true],
        ["id", ">", 3],
      ],
      { extra: {}, limit: 5, order_by: ["-id"] },
    ]);
  });

  it("takes what stands behind extra. for JSON", () => {
    const extra = encodeURIComponent('["guid","origin"]');
    expect(route("GET", `/pool/dataset?id=tank%2Fa&extra.flat=false&extra.properties=${extra}`)?.[1]).toEqual([
      [["id", "=", "tank/a"]],
      { extra: { flat: false, properties: ["guid", "origin"] } },
    ]);
  });

  it("makes, changes and deletes", () => {
    expect(route("POST", "/pool/dataset", { name: "a" })).toEqual([
      "pool.dataset.create",
      [{ name: "a" }],
      "/pool/dataset",
    ]);
    expect(route("PUT", "/sharing/nfs/id/7", { enabled: false })?.slice(0, 2)).toEqual([
      "sharing.nfs.update",
      [7, { enabled: false }],
    ]);
    expect(route("DELETE", "/pool/dataset/id/tank%2Fa", { recursive: true })?.slice(0, 2)).toEqual([
      "pool.dataset.delete",
      ["tank/a", { recursive: true }],
    ]);
    expect(route("DELETE", "/iscsi/target/id/3", { force: true })?.[1]).toEqual([3, true, undefined]);
    expect(route("POST", "/pool/dataset/id/tank%2Fa/promote")?.slice(0, 2)).toEqual([
      "pool.dataset.promote",
      ["tank/a"],
    ]);
  });

  it("takes several arguments by their names", () => {
    expect(route("POST", "/pool/snapshot/hold", { id: "a@s", options: { recursive: true } })?.[1]).toEqual([
      "a@s",
      { recursive: true },
    ]);
    expect(() => route("POST", "/pool/snapshot/hold", { id: "a@s", more: 1 })).toThrow(CallError);
    expect(route("POST", "/pool/snapshot/clone", { snapshot: "a@s" })?.[1]).toEqual([{ snapshot: "a@s" }]);
  });

  it("reads what has no arguments with GET", () => {
    expect(route("GET", "/system/version")?.[0]).toBe("system.version");
    expect(route("GET", "/iscsi/global")?.[0]).toBe("iscsi.global.config");
    expect(route("GET", "/iscsi/global/sessions")?.[0]).toBe("iscsi.global.sessions");
    expect(route("POST", "/system/version")).toBeUndefined();
  });

  it("finds snapshots under the name of the release, and no private method", () => {
    expect(route("GET", "/zfs/snapshot", undefined, "24.10")?.[0]).toBe("zfs.snapshot.query");
    expect(route("GET", "/pool/snapshot", undefined, "24.10")).toBeUndefined();
    expect(route("GET", "/zfs/snapshot")).toBeUndefined();
  });
});
