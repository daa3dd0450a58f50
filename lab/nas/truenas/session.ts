/** A connection: who speaks over it, and how it wants to be spoken to. */
import type { Identity } from "./accounts.ts";
import { allRoles, type Role } from "./roles.ts";

export class Session {
  /** TLS, or a peer that counts as secure without it. */
  readonly secure: boolean;
  /** Undefined before login. */
  identity: Identity | undefined;
  /** Whether a job method answers with the job's number at once; otherwise it answers when the job has ended. */
  legacyJobs = true;
  /** Subscriptions by their id. */
  readonly subscriptions = new Map<string, string>();
  readonly #notify: (message: object) => void;

  constructor({ secure, notify }: { readonly secure: boolean; readonly notify: (message: object) => void }) {
    this.secure = secure;
    this.#notify = notify;
  }

  get roles(): ReadonlySet<Role> {
    return allRoles(this.identity?.user.roles ?? []);
  }

  /** Sends an event to whoever has subscribed to the collection. */
  publish(collection: string, event: object): void {
    if ([...this.subscriptions.values()].some((name) => name === collection || name === "*"))
      this.#notify({ jsonrpc: "2.0", method: "collection_update", params: { collection, ...event } });
  }
}
