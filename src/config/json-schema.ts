/** The JSON schema of holdfast.yaml, by which editors complete and check it. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** Of the file as it is written: what has a default may be left out. */
export const configJsonSchema = (): object => ({
  title: "holdfast.yaml",
  ...z.toJSONSchema(configSchema, { io: "input" }),
});
