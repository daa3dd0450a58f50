/**
 * Stands in for `zfs` and `zpool` of OpenZFS in front of zfs-fuse 0.7, for the command lines that Holdfast uses, and
 * prints as OpenZFS prints. The work is done on a real pool by zfs-fuse; its own here are:
 * - guid and createtxg, which zfs-fuse does not tell, from `lab/zfs/identities.ts`. One transaction gets a createtxg for
 *   each object, not one for all.
 * - several snapshots in one command: checked together, made and destroyed one by one, so not in one transaction.
 * - `clones`, exact sizes with -p, `zfs version`, several properties in one `zfs set`.
 * - a dataset that FUSE has not let go yet is waited for: the kernel's ZFS has no such moment.
 * Volumes, `zfs allow` and shares are not here; properties of the lab itself are hidden.
 */
import type { Exec, Execution } from "../../zfs/exec.ts";
import { Identities, isLabProperty } from "../../zfs/identities.ts";
import { patiently } from "../../zfs/patience.ts";
import { renameTree } from "../../zfs/renaming.ts";
import { ZfsError } from "../../zfs/zfs-error.ts";
import { openZfs, parseProperties, type Zfs } from "../../zfs/zfs.ts";
import { parseOptions } from "./options.ts";

/** What `zfs` would say on standard error, and its code. */
class Refused extends Error {
  readonly execution: Execution;

  constructor(execution: Execution) {
    super(execution.stderr);
    this.execution = execution;
  }
}

const refusal = (stderr: string, code = 1): Refused => new Refused({ code, stdout: "", stderr: `${stderr}\n` });

const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

export class OpenZfsFront {
  readonly #exec: Exec;
  readonly #own: Zfs;
  readonly #identities: Identities;

  /** `exec` runs the real zfs and zpool. */
  constructor(exec: Exec) {
    this.#exec = exec;
    this.#own = openZfs(exec);
    this.#identities = new Identities(this.#own);
  }

  /** Runs `zfs ARGS` or `zpool ARGS`. */
  async run(program: string, args: readonly string[]): Promise<Execution> {
    const [verb = "", ...rest] = args;
    const command = this.#commands.get(`${program} ${verb}`);
    try {
      if (command === undefined) throw refusal(`unrecognized command '${verb}'`, 2);
      return { code: 0, stdout: await command(rest), stderr: "" };
    } catch (error) {
      if (error instanceof Refused) return error.execution;
      if (error instanceof ZfsError) return { code: 1, stdout: "", stderr: `${error.said}\n` };
      throw error;
    }
  }

  readonly #commands: ReadonlyMap<string, (args: readonly string[]) => Promise<string>> = new Map([
    ["zfs version", async () => "zfs-2.3.0-lab\nzfs-kmod-2.3.0-lab\n"],
    ["zfs list", (args: readonly string[]) => this.#list(args)],
    ["zfs get", (args: readonly string[]) => this.#get(args)],
    ["zfs snapshot", (args: readonly string[]) => this.#snapshot(args)],
    ["zfs clone", (args: readonly string[]) => this.#clone(args)],
    ["zfs set", (args: readonly string[]) => this.#set(args)],
    ["zfs destroy", (args: readonly string[]) => this.#destroy(args)],
    ["zfs rename", (args: readonly string[]) => this.#rename(args)],
    ["zfs unmount", (args: readonly string[]) => this.#unmount(args)],
    ["zfs mount", (args: readonly string[]) => this.#zfs("mount", ...args)],
    ["zfs promote", (args: readonly string[]) => this.#zfs("promote", ...args)],
    ["zfs inherit", (args: readonly string[]) => this.#zfs("inherit", ...args)],
    ["zpool list", (args: readonly string[]) => this.#pools(args)],
  ]);

  async #list(args: readonly string[]): Promise<string> {
    const { values, flags, operands } = parseOptions(args, "Hpr", "otd");
    const isSnapshots = values.get("t")?.[0] === "snapshot";
    const depth = flags.has("r") ? undefined : Number(values.get("d")?.[0] ?? 0);
    const [target = ""] = operands;
    const names = target.includes("@")
      ? [(await this.#zfs("list", "-H", "-o", "name", target)).trimEnd()]
      : await this.#names(isSnapshots ? "snapshot" : "filesystem", target, depth);
    const columns = (values.get("o")?.[0] ?? "name").split(",");
    const clones = columns.includes("clones") ? await this.#clones(target) : new Map<string, readonly string[]>();
    const rows: string[] = [];
    for (const name of names) rows.push((await this.#row(name, columns, clones)).join("\t"));
    return rows.map((row) => `${row}\n`).join("");
  }

  async #names(type: string, under: string, depth: number | undefined): Promise<readonly string[]> {
    const reach = depth === undefined ? ["-r"] : ["-d", String(depth)];
    return linesOf(await this.#zfs("list", "-H", "-o", "name", "-t", type, ...reach, under));
  }

  async #row(
    name: string,
    columns: readonly string[],
    clones: ReadonlyMap<string, readonly string[]>,
  ): Promise<readonly string[]> {
    const properties = parseProperties(await this.#zfs("get", "-Hp", "-o", "property,value,source", "all", name));
    const { guid, createtxg } = await this.#identities.of(name, properties);
    const own = { name, guid, createtxg, clones: (clones.get(name) ?? []).join(",") };
    return columns.map((column) => ({ ...own })[column] ?? properties.get(column)?.value ?? "-");
  }

  /** The clones of every snapshot in the pool. */
  async #clones(name: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const pool = name.split(/[/@]/)[0] ?? name;
    const clones = new Map<string, string[]>();
    const text = await this.#zfs("list", "-H", "-o", "name,origin", "-r", "-t", "filesystem", pool);
    for (const line of linesOf(text)) {
      const [clone = "", origin = "-"] = line.split("\t");
      clones.set(origin, [...(clones.get(origin) ?? []), clone]);
    }
    return clones;
  }

  async #get(args: readonly string[]): Promise<string> {
    const { values, flags, operands } = parseOptions(args, "Hpr", "ots");
    const columns = values.get("o")?.[0] ?? "name,property,value";
    const source = values.get("s")?.[0];
    const sources = source === undefined ? [] : ["-s", source];
    const [property = "", target = ""] = operands;
    if (property !== "all") return await this.#zfs("get", "-Hp", ...sources, "-o", columns, property, target);
    const rows: string[] = [];
    for (const name of await this.#names("filesystem", target, flags.has("r") ? undefined : 0)) {
      const own = linesOf(await this.#zfs("get", "-Hp", ...sources, "-o", "property", "all", name));
      for (const one of own.filter((found) => !isLabProperty(found))) {
        const value = columns.includes("value") ? await this.#zfs("get", "-Hp", "-o", "value", one, name) : "\n";
        rows.push(columns.includes("value") ? `${name}\t${one}\t${value}` : `${name}\t${one}\n`);
      }
    }
    return rows.join("");
  }

  async #snapshot(args: readonly string[]): Promise<string> {
    const { flags, operands } = parseOptions(args, "r");
    if (flags.has("r")) await this.#zfs("snapshot", "-r", ...operands);
    else await this.#snapshots(operands);
    for (const operand of operands) {
      const [dataset = "", snapshot = ""] = operand.split("@");
      const made = flags.has("r") ? await this.#names("snapshot", dataset, undefined) : [operand];
      for (const name of made.filter((one) => one.endsWith(`@${snapshot}`))) await this.#identities.of(name);
    }
    return "";
  }

  /** All or none. */
  async #snapshots(names: readonly string[]): Promise<void> {
    for (const name of names)
      if (await this.#exists(name))
        throw refusal(`cannot create snapshot '${name}': dataset already exists\nno snapshots were created`);
    const made: string[] = [];
    try {
      for (const name of names) {
        await this.#zfs("snapshot", name);
        made.push(name);
      }
    } catch (error) {
      for (const name of made) await this.#zfs("destroy", name);
      throw error;
    }
  }

  async #clone(args: readonly string[]): Promise<string> {
    await this.#zfs("clone", ...args);
    await this.#identities.of(args.at(-1) ?? "");
    return "";
  }

  async #set(args: readonly string[]): Promise<string> {
    const target = args.at(-1) ?? "";
    for (const assignment of args.slice(0, -1)) await this.#zfs("set", assignment, target);
    return "";
  }

  async #destroy(args: readonly string[]): Promise<string> {
    // Flags would be a defect of the adapter: it destroys nothing but what it names.
    const [target = ""] = parseOptions(args, "").operands;
    const [dataset = "", list] = target.split("@");
    if (list === undefined) {
      await patiently(() => this.#own.destroy(target));
      return "";
    }
    const names = list.split(",").map((snapshot) => `${dataset}@${snapshot}`);
    const clones = await this.#clones(dataset);
    for (const name of names) {
      const holds = (await this.#zfs("get", "-Hp", "-o", "value", "userrefs", name)).trim();
      if (holds !== "0") throw refusal(`cannot destroy snapshot ${name}: dataset is busy`);
      const own = clones.get(name);
      if (own !== undefined)
        throw refusal(
          `cannot destroy '${name}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n${own.join("\n")}`,
        );
    }
    for (const name of names) await this.#zfs("destroy", name);
    return "";
  }

  async #rename(args: readonly string[]): Promise<string> {
    const [from = "", to = ""] = args;
    await renameTree(this.#own, from, to);
    return "";
  }

  async #unmount(args: readonly string[]): Promise<string> {
    const [name = ""] = args;
    await patiently(() => this.#own.unmount(name));
    return "";
  }

  async #pools(args: readonly string[]): Promise<string> {
    const columns = (parseOptions(args, "Hp", "o").values.get("o")?.[0] ?? "name").split(",");
    const { code, stdout, stderr } = await this.#exec("zpool", ["list", "-H", "-o", "name,health"]);
    if (code !== 0) throw new Refused({ code, stdout, stderr });
    const rows: string[] = [];
    for (const line of linesOf(stdout)) {
      const [name = "", health = ""] = line.split("\t");
      const space = linesOf(await this.#zfs("get", "-Hp", "-o", "value", "used,available", name)).map(Number);
      const size = space.reduce((sum, one) => sum + one, 0);
      const own: Readonly<Record<string, string>> = {
        name,
        health,
        size: String(size),
        free: String(space[1]),
        readonly: "off",
      };
      rows.push(`${columns.map((column) => own[column] ?? "-").join("\t")}\n`);
    }
    return rows.join("");
  }

  async #exists(name: string): Promise<boolean> {
    const { code } = await this.#exec("zfs", ["list", "-H", "-o", "name", name]);
    return code === 0;
  }

  async #zfs(...args: readonly string[]): Promise<string> {
    const execution = await this.#exec("zfs", args);
    if (execution.code !== 0) throw new Refused(execution);
    return execution.stdout;
  }
}
