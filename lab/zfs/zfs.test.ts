import { describe, expect, it } from "vitest";
import type { Exec, Execution } from "./exec.ts";
import { zfsErrorKind } from "./zfs-error.ts";
import { openZfs, parseProperties } from "./zfs.ts";

/** A `zfs` that gives one answer and remembers what it was asked. */
const scripted = (answer: Partial<Execution> = {}): { readonly exec: Exec; readonly asked: string[] } => {
  const asked: string[] = [];
  const exec: Exec = async (command, args) => {
    asked.push([command, ...args].join(" "));
    return { code: 0, stdout: "", stderr: "", ...answer };
  };
  return { exec, asked };
};

describe("the zfs command", () => {
  it.each([
    ["exists", "cannot create 'tank/a': dataset already exists"],
    ["missing", "cannot open 'tank/a': dataset does not exist"],
    ["busy", "cannot destroy 'tank/a': dataset is busy"],
    ["busy", "umount: /mnt/tank/a: target is busy.\ncannot unmount '/mnt/tank/a': umount failed"],
    [
      "has-clones",
      "cannot destroy 'tank/a': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\ntank/b",
    ],
    ["has-children", "cannot destroy 'tank': filesystem has children\nuse '-r' to destroy the following datasets:"],
    ["newer-snapshots", "cannot rollback to 'tank/a@x': more recent snapshots or bookmarks exist"],
    ["already-mounted", "cannot mount 'tank/a': filesystem already mounted"],
    ["unknown", "internal error: Function not implemented"],
  ] as const)("is understood when it says %s", (kind, text) => {
    expect(zfsErrorKind(text)).toBe(kind);
  });

  it("throws what it refused, with the command and its words", async () => {
    const { exec } = scripted({ code: 1, stderr: "cannot destroy 'tank/a': dataset is busy\n" });
    const refusal = { kind: "busy", message: "zfs destroy -r tank/a: cannot destroy 'tank/a': dataset is busy" };
    await expect(openZfs(exec).destroy("tank/a", { recursive: true })).rejects.toMatchObject(refusal);
  });

  it("says that a dataset does not exist only when zfs says so", async () => {
    const missing = scripted({ code: 1, stderr: "cannot open 'tank/a': dataset does not exist" });
    expect(await openZfs(missing.exec).exists("tank/a")).toBe(false);
    const down = scripted({ code: 1, stderr: "Please make sure that the zfs-fuse daemon is running." });
    await expect(openZfs(down.exec).exists("tank/a")).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("sets several properties one by one, because zfs-fuse takes one at a time", async () => {
    const { exec, asked } = scripted();
    await openZfs(exec).set("tank/a", { "x:a": "1", "x:b": "two words" });
    expect(asked).toEqual(["zfs set x:a=1 tank/a", "zfs set x:b=two words tank/a"]);
  });

  it("lists a dataset alone with depth 0, and everything below it without a depth", async () => {
    const { exec, asked } = scripted({ stdout: "tank/a\ntank/a/b\n" });
    expect(await openZfs(exec).list({ type: "filesystem", under: "tank/a" })).toEqual(["tank/a", "tank/a/b"]);
    await openZfs(exec).list({ type: "filesystem", under: "tank/a", depth: 0 });
    expect(asked).toEqual([
      "zfs list -H -o name -t filesystem -r tank/a",
      "zfs list -H -o name -t filesystem -d 0 tank/a",
    ]);
  });

  it("reads a tree with all properties by one command", async () => {
    const stdout = "tank/a\tused\t1\t-\ntank/a\tx:y\ta\tb\tlocal\ntank/a@s\tused\t0\t-\n";
    const { exec, asked } = scripted({ stdout });
    const tree = await openZfs(exec).tree({ under: "tank/a", depth: 1 });
    expect(asked).toEqual(["zfs get -Hp -d 1 -o name,property,value,source all tank/a"]);
    expect(tree.map(({ name, properties }) => [name, [...properties.keys()]])).toEqual([
      ["tank/a", ["used", "x:y"]],
      ["tank/a@s", ["used"]],
    ]);
    expect(tree[0]?.properties.get("x:y")).toEqual({ value: "a\tb", source: "local" });
  });

  it("keeps tabs and JSON in a property's value", () => {
    const text = 'used\t114688\t-\nx:context\t{"a":\t"b"}\tlocal\nx:old\ttrue\tinherited from tank\n';
    expect([...parseProperties(text)]).toEqual([
      ["used", { value: "114688", source: "-" }],
      ["x:context", { value: '{"a":\t"b"}', source: "local" }],
      ["x:old", { value: "true", source: "inherited from tank" }],
    ]);
  });
});
