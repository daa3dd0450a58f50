/** Users, their API keys, and how they prove who they are. */
import { z } from "zod";
import { allRoles, roleNames } from "./roles.ts";
import type { StateFile } from "./state.ts";

export const userSchema = z.strictObject({
  username: z.string().min(1),
  roles: z.array(z.enum(roleNames)),
  password: z.string().optional(),
  keys: z
    .array(
      z.strictObject({
        /** `<number>-<64 letters and digits>`. */
        key: z.string().regex(/^\d+-[A-Za-z0-9]{64}$/),
        /** Ms since 1970. */
        expiresAt: z.number().optional(),
        /** Up to 24.10 a key for REST may be for some resources only: "/pool/dataset/id/*"; all by default. */
        allow: z.array(z.strictObject({ method: z.string(), resource: z.string() })).optional(),
      }),
    )
    .default([]),
});

export type User = z.output<typeof userSchema>;
export type ApiKey = User["keys"][number];

/** Somebody who has proved who they are. */
export interface Identity {
  readonly user: User;
  /** The key that it was proved with; undefined for a password. */
  readonly key?: ApiKey;
}

export type LoginOutcome = Identity | "wrong" | "expired";

const numberOf = (key: string): string => key.slice(0, key.indexOf("-"));

export class Accounts {
  readonly #users: readonly User[];
  readonly #state: StateFile;

  constructor(users: readonly User[], state: StateFile) {
    this.#users = users;
    this.#state = state;
  }

  /** `username` is undefined where only the key is asked for. A key used in clear is revoked for good. */
  async withKey(key: string, username: string | undefined, secure: boolean): Promise<LoginOutcome> {
    const user = this.#users.find(({ keys }) => keys.some((one) => one.key === key));
    const known = user?.keys.find((one) => one.key === key);
    if (user === undefined || known === undefined) return "wrong";
    if (username !== undefined && username !== user.username) return "wrong";
    const { revokedKeys } = await this.#state.read();
    if (revokedKeys[numberOf(key)] !== undefined) return "expired";
    if (known.expiresAt !== undefined && known.expiresAt <= Date.now()) return "expired";
    if (secure) return { user, key: known };
    await this.#revoke(key, "Attempt to use over an insecure transport");
    return "expired";
  }

  withPassword(username: string, password: string): LoginOutcome {
    const user = this.#users.find((one) => one.username === username);
    return user?.password !== undefined && user.password === password ? { user } : "wrong";
  }

  #revoke(key: string, reason: string): Promise<void> {
    return this.#state.change((state) => ({
      state: { ...state, revokedKeys: { ...state.revokedKeys, [numberOf(key)]: reason } },
      result: undefined,
    }));
  }
}

/** What `auth.me` says. */
export const describeUser = ({ username, roles }: User, uid: number): object => ({
  pw_name: username,
  pw_gecos: username,
  pw_dir: "/var/empty",
  pw_shell: "/usr/sbin/nologin",
  pw_uid: uid,
  pw_gid: uid,
  grouplist: null,
  sid: null,
  source: "LOCAL",
  local: true,
  attributes: {},
  two_factor_config: { provisioning_uri: null, secret_configured: false, interval: 30, otp_digits: 6 },
  privilege: {
    allowlist: roles.includes("FULL_ADMIN") ? [{ method: "*", resource: "*" }] : [],
    // With all that they include.
    roles: { $set: [...allRoles(roles)] },
    web_shell: roles.includes("FULL_ADMIN"),
    webui_access: true,
  },
  account_attributes: ["LOCAL", "API_KEY"],
});
