/** `core.*`: the connection itself, jobs, and what there is to call. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { CallError } from "../call-error.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { type Method, method } from "../method.ts";
import { releases } from "../release.ts";

const connectionOptions = z.strictObject({
  private_methods: z.boolean().optional(),
  py_exceptions: z.boolean().optional(),
  legacy_jobs: z.boolean().optional(),
});

/** What `core.get_methods` says of each method of a release. */
const describe = (all: readonly Method[], service: string | null): object =>
  Object.fromEntries(
    all
      .filter(({ name, private: hidden }) => !hidden && (service === null || name.startsWith(`${service}.`)))
      .map(({ name, job, access, parameters }) => [
        name,
        {
          description: name,
          job,
          roles: typeof access === "string" ? [] : access,
          no_auth_required: access === "anybody",
          accepts: Object.keys(parameters).map((title) => ({ title })),
        },
      ]),
  );

/** `list` gives the table of methods, which this belongs to itself. */
export const coreMethods = (list: () => readonly Method[]): readonly Method[] => [
  method("core.ping", { releases, access: "anybody" }, {}, async () => "pong"),
  method(
    "core.set_options",
    { releases, access: "anybody" },
    { options: connectionOptions },
    async (call, { options }) => {
      if (call.world.release === "25.04") return null;
      if (options.legacy_jobs !== undefined) call.session.legacyJobs = options.legacy_jobs;
      return { private_methods: false, py_exceptions: false, legacy_jobs: call.session.legacyJobs };
    },
  ),
  method("core.subscribe", { releases, access: "logged-in" }, { event: z.string() }, async ({ session }, { event }) => {
    const id = randomUUID();
    session.subscriptions.set(id, event);
    return id;
  }),
  method(
    "core.unsubscribe",
    { releases, access: "logged-in" },
    { id_: z.string() },
    async ({ session }, { id_: id }) => {
      session.subscriptions.delete(id);
      return null;
    },
  ),
  method(
    "core.get_jobs",
    { releases, access: "logged-in" },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList(world.jobs.all(), filters, options),
  ),
  method("core.job_wait", { releases, access: "logged-in", job: true }, { id: z.int() }, async ({ world }, { id }) => {
    const job = world.jobs.find(id);
    if (job === undefined) throw new CallError(`Job ${id} does not exist`, "ENOENT");
    return job.end;
  }),
  method(
    "core.get_methods",
    { releases, access: "logged-in" },
    { service: z.string().nullable().default(null), target: z.string().default("WS") },
    async ({ world }, { service }) =>
      describe(
        list().filter((one) => one.releases.includes(world.release)),
        service,
      ),
  ),
];
