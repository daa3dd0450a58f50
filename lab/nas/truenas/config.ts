/** The stand-in's configuration: one JSON file. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { userSchema } from "./accounts.ts";
import { releaseOf } from "./release.ts";

const listenSchema = z.strictObject({
  host: z.string().min(1),
  /** 0 takes a free one, which the program prints. */
  port: z.int().min(0).max(65_535),
});

const schema = z.strictObject({
  /** The version to pose as: "24.10.2", "25.04.2", "25.10.1", "26.0.0". */
  version: z.string().refine((version) => {
    try {
      return releaseOf(version) !== undefined;
    } catch {
      // Saying no is its only way to fail.
      return false;
    }
  }, "unknown version"),
  /** Where https and wss are served; needs certificate and key, PEM files. */
  https: listenSchema.extend({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  /** Where http and ws are served. An API key used here is revoked, unless the peer is loopback. */
  http: listenSchema.optional(),
  /** Whether loopback counts as secure without TLS, as it does with TrueNAS. */
  loopbackIsSecure: z.boolean().default(true),
  /** For what the NAS keeps in its database: tasks, holds, revoked keys, sessions. */
  stateDir: z.string().min(1),
  /** The registry of shares, targets and extents, which the nodes read too. */
  exportsDir: z.string().min(1),
  /** The address of the iSCSI portal. */
  address: z.string().default("127.0.0.1"),
  /** The folder that holds the pools' mountpoints. */
  mountRoot: z.string().default("/mnt"),
  /** Words in front of every command that runs on the machine with the pool; none when this is that machine. */
  commandPrefix: z.array(z.string()).default([]),
  users: z.array(userSchema),
});

export type StandInConfig = z.output<typeof schema>;
/** What has to be written into the file; the rest has defaults. */
export type StandInConfigInput = z.input<typeof schema>;

/** Fills in defaults. Throws a ZodError that names what is wrong. */
export const parseConfig = (value: unknown): StandInConfig => schema.parse(value);

export const readConfig = (file: string): StandInConfig => parseConfig(JSON.parse(readFileSync(file, "utf8")));
