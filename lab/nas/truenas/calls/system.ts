/** `system.*` and `pool.query`: the machine and its pools. */
import { createHash } from "node:crypto";
import { hostname, totalmem } from "node:os";
import { output } from "../../../zfs/exec.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { readDataset } from "../objects.ts";
import { formatSize } from "../property-shape.ts";
import { releases, systemVersion } from "../release.ts";
import { date } from "../wire.ts";
import type { World } from "../world.ts";

const info = ({ version, started }: World): object => ({
  version: systemVersion(version),
  buildtime: date(started),
  hostname: hostname(),
  physmem: totalmem(),
  model: "Holdfast lab",
  cores: 2,
  physical_cores: 2,
  loadavg: [0, 0, 0],
  uptime: "0:00:00",
  uptime_seconds: (Date.now() - started) / 1000,
  system_serial: null,
  system_product: null,
  system_product_version: null,
  license: null,
  boottime: date(started),
  datetime: date(Date.now()),
  timezone: "UTC",
  system_manufacturer: null,
  ecc_memory: false,
});

/** zfs-fuse's zpool prints "1.98G" only; the datasets know bytes. */
const pools = async (world: World): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const text = await output(world.exec, "zpool", ["list", "-H", "-o", "name,guid,health"]);
  const rows = text.split("\n").filter((line) => line !== "");
  return Promise.all(
    rows.map(async (line, index) => {
      const [name = "", guid = "", status = ""] = line.split("\t");
      const root = await readDataset(world, name);
      const free = Number(root?.properties.get("available")?.value ?? 0);
      const allocated = Number(root?.properties.get("used")?.value ?? 0);
      const size = free + allocated;
      return {
        id: index + 1,
        name,
        guid,
        path: `${world.mountRoot}/${name}`,
        status,
        scan: null,
        expand: null,
        is_upgraded: true,
        healthy: status === "ONLINE",
        warning: false,
        status_code: status === "ONLINE" ? "OK" : null,
        status_detail: null,
        size,
        allocated,
        free,
        freeing: 0,
        fragmentation: "0",
        size_str: formatSize(size),
        allocated_str: formatSize(allocated),
        free_str: formatSize(free),
        freeing_str: "0 bytes",
        autotrim: { value: "off", rawvalue: "off", parsed: "off", source: "DEFAULT" },
        topology: null,
      };
    }),
  );
};

export const systemMethods = [
  method("system.version", { releases, access: "logged-in" }, {}, async ({ world }) => systemVersion(world.version)),
  method("system.info", { releases, access: ["SYSTEM_GENERAL_READ"] }, {}, async ({ world }) => info(world)),
  method("system.host_id", { releases, access: "logged-in" }, {}, async ({ world }) =>
    createHash("sha256").update(`${hostname()}${world.mountRoot}`).digest("hex"),
  ),
  method(
    "pool.query",
    { releases, access: ["POOL_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList(await pools(world), filters, options),
  ),
];
