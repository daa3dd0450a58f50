/** Periodic snapshot tasks and replication tasks: records only, nothing here runs them. */
import { z } from "zod";
import { instanceNotFound, ValidationError } from "../call-error.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { readDataset } from "../objects.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";

const cron = z
  .strictObject({
    minute: z.string().default("00"),
    hour: z.string().default("*"),
    dom: z.string().default("*"),
    month: z.string().default("*"),
    dow: z.string().default("*"),
    begin: z.string().default("00:00"),
    end: z.string().default("23:59"),
  })
  .prefault({});

const taskSchema = z.strictObject({
  dataset: z.string().min(1),
  recursive: z.boolean().default(false),
  lifetime_value: z.int().default(2),
  lifetime_unit: z.enum(["HOUR", "DAY", "WEEK", "MONTH", "YEAR"]).default("WEEK"),
  enabled: z.boolean().default(true),
  exclude: z.array(z.string()).default([]),
  naming_schema: z.string().default("auto-%Y-%m-%d_%H-%M"),
  allow_empty: z.boolean().default(true),
  schedule: cron,
});

const createTask = async (world: World, data: z.output<typeof taskSchema>): Promise<object> => {
  if ((await readDataset(world, data.dataset)) === undefined)
    throw new ValidationError("periodic_snapshot_create.dataset", "Dataset not found", "ENOENT");
  return world.state.change((state) => {
    const task = { id: state.nextId, ...data, vmware_sync: false, state: { state: "PENDING" } };
    return {
      state: { ...state, nextId: state.nextId + 1, snapshotTasks: [...state.snapshotTasks, task] },
      result: task,
    };
  });
};

const removeTask = (world: World, id: number): Promise<true> =>
  world.state.change((state) => {
    const snapshotTasks = state.snapshotTasks.filter((task) => task.id !== id);
    if (snapshotTasks.length === state.snapshotTasks.length) throw instanceNotFound("PeriodicSnapshotTask", id);
    return { state: { ...state, snapshotTasks }, result: true as const };
  });

/** TrueNAS' advice: snapshots that Windows shows of one dataset, and snapshots of the whole system. */
const advice = { maxCount: 512, maxTotalCount: 10_000 } as const;

const reading = { releases, access: ["SNAPSHOT_TASK_READ"] } as const;
const writing = { releases, access: ["SNAPSHOT_TASK_WRITE"] } as const;

export const taskMethods = [
  method(
    "pool.snapshottask.query",
    reading,
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList((await world.state.read()).snapshotTasks, filters, options),
  ),
  method("pool.snapshottask.create", writing, { data: taskSchema }, ({ world }, { data }) => createTask(world, data)),
  method(
    "pool.snapshottask.delete",
    writing,
    { id: z.int(), options: z.strictObject({ fixate_removal_date: z.boolean().default(false) }).prefault({}) },
    ({ world }, { id }) => removeTask(world, id),
  ),
  method("pool.snapshottask.max_count", reading, {}, async () => advice.maxCount),
  method("pool.snapshottask.max_total_count", reading, {}, async () => advice.maxTotalCount),
  method(
    "replication.query",
    { releases, access: ["REPLICATION_TASK_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList((await world.state.read()).replications, filters, options),
  ),
];
