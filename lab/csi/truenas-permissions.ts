/** Modes of directories through TrueNAS' API, where changing them is a job. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TrueNasApi } from "./truenas-api.ts";

const pollMs = 20;

/** Throws when the job fails. */
export const setMode = async (api: TrueNasApi, path: string, mode: string): Promise<void> => {
  const id = await api.ask("POST", "/filesystem/setperm", { path, mode });
  for (;;) {
    const [job] = (await api.ask("GET", `/core/get_jobs?id=${String(id)}`)) as readonly {
      state: string;
      error: string;
    }[];
    if (job?.state === "SUCCESS") return;
    if (job?.state !== "RUNNING") throw new Error(`setting the mode of ${path}: ${job?.error ?? "the job is gone"}`);
    await sleep(pollMs);
  }
};
