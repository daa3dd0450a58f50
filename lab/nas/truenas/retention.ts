/** When TrueNAS will remove a snapshot by itself: its own property says so, or the name belongs to a periodic task. */
import type { SnapshotObject } from "./objects.ts";
import type { Row } from "./state.ts";
import { date } from "./wire.ts";

const hourMs = 3_600_000;
const unitMs: Readonly<Record<string, number>> = {
  HOUR: hourMs,
  DAY: 24 * hourMs,
  WEEK: 7 * 24 * hourMs,
  MONTH: 30 * 24 * hourMs,
  YEAR: 365 * 24 * hourMs,
};

const fields: Readonly<Record<string, string>> = {
  "%Y": String.raw`\d{4}`,
  "%m": String.raw`\d{2}`,
  "%d": String.raw`\d{2}`,
  "%H": String.raw`\d{2}`,
  "%M": String.raw`\d{2}`,
  "%S": String.raw`\d{2}`,
  "%s": String.raw`\d+`,
};

/** Whether a name is one that a naming schema makes. */
export const fitsSchema = (schema: string, name: string): boolean => {
  const pattern = schema
    .split(/(%[YmdHMSs])/)
    .map((part) => fields[part] ?? part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join("");
  return new RegExp(`^${pattern}$`).test(name);
};

const covers = (task: Row, dataset: string): boolean =>
  task.dataset === dataset ||
  (task.recursive === true &&
    dataset.startsWith(`${String(task.dataset)}/`) &&
    !(task.exclude as readonly string[]).some((left) => dataset === left || dataset.startsWith(`${left}/`)));

/** What `extra.retention` adds. A schedule is not looked at: whatever has the task's name is taken to be the task's. */
export const retentionOf = (snapshot: SnapshotObject, tasks: readonly Row[]): object | null => {
  const property = [...snapshot.properties].find(([name]) => name.startsWith("org.truenas:destroy_at_"));
  if (property !== undefined) return { datetime: date(Date.parse(property[1].value)), source: "property" };
  const task = tasks.find(
    (one) => covers(one, snapshot.dataset) && fitsSchema(String(one.naming_schema), snapshot.snapshot),
  );
  if (task === undefined) return null;
  const created = Number(snapshot.properties.get("creation")?.value ?? 0) * 1000;
  const lifetime = Number(task.lifetime_value) * (unitMs[String(task.lifetime_unit)] ?? 0);
  return {
    datetime: date(created + lifetime),
    source: "periodic_snapshot_task",
    periodic_snapshot_task_id: task.id,
  };
};
