/**
 * The lab's own side door, which no TrueNAS has: on loopback only, without a login.
 *
 * - `POST /lab/faults {"method", "times"?, "fault"}` plans a fault for the next calls of a method ("*" is any). `fault` is
 *   `{"kind":"drop-before"}`, `{"kind":"drop-after"}`, `{"kind":"late","ms":N}`, `{"kind":"no-space"}`,
 *   `{"kind":"read-only"}`, `{"kind":"suspended"}` or `{"kind":"without-role","role":"SNAPSHOT_WRITE"}`.
 * - `GET /lab/faults` gives what is still to come; `DELETE /lab/faults` forgets it.
 * - `PUT /lab/sessions [{"initiator","initiator_addr","target"}]` says who is logged in to which IQN.
 * - `PUT /lab/replications [{"id","name","source_datasets","target_dataset","recursive","enabled"}]` sets the tasks.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { faultSchema } from "./faults.ts";
import { encode } from "./wire.ts";
import type { World } from "./world.ts";

export const controlPrefix = "/lab/";

const sessionsSchema = z.array(
  z.looseObject({ initiator: z.string(), initiator_addr: z.string(), target: z.string() }),
);
const replicationsSchema = z.array(z.looseObject({ id: z.int() }));

type Work = (world: World, body: unknown) => Promise<unknown>;

const doors: Readonly<Record<string, Work>> = {
  "POST /lab/faults": async ({ faults }, body) => faults.plan(faultSchema.parse(body)),
  "GET /lab/faults": async ({ faults }) => faults.planned(),
  "DELETE /lab/faults": async ({ faults }) => faults.clear(),
  "PUT /lab/sessions": ({ state }, body) => state.set({ sessions: sessionsSchema.parse(body) }),
  "PUT /lab/replications": ({ state }, body) => state.set({ replications: replicationsSchema.parse(body) }),
};

/** Whether an address of a peer is this machine's own. */
export const isLoopback = (address: string | undefined): boolean =>
  address === "::1" || /^(?:::ffff:)?127\./.test(address ?? "");

/** Answers one request. */
export const serveControl = async (world: World, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(encode(body));
  };
  if (!isLoopback(request.socket.remoteAddress)) return answer(403, { message: "on loopback only" });
  const work = doors[`${request.method} ${new URL(request.url ?? "/", "http://nas").pathname}`];
  if (work === undefined) return answer(404, { message: "Not found" });
  let text = "";
  for await (const piece of request) text += String(piece);
  try {
    return answer(200, (await work(world, text === "" ? undefined : JSON.parse(text))) ?? null);
  } catch (error) {
    return answer(400, { message: error instanceof Error ? error.message : String(error) });
  }
};
