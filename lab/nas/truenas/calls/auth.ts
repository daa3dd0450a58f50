/** `auth.*`: logging in. A login that fails is a result, not an error. */
import { z } from "zod";
import { describeUser, type LoginOutcome } from "../accounts.ts";
import { CallError } from "../call-error.ts";
import { type Call, method } from "../method.ts";
import { from, releases } from "../release.ts";

const options = z
  .strictObject({ user_info: z.boolean().default(true), reconnect_token: z.boolean().default(false) })
  .prefault({});

const loginData = z.discriminatedUnion("mechanism", [
  z.strictObject({
    mechanism: z.literal("API_KEY_PLAIN"),
    username: z.string(),
    api_key: z.string(),
    login_options: options,
  }),
  z.strictObject({
    mechanism: z.literal("PASSWORD_PLAIN"),
    username: z.string(),
    password: z.string(),
    login_options: options,
  }),
]);

type LoginData = z.output<typeof loginData>;

const firstUid = 3000;

const prove = ({ world, session }: Call, data: LoginData): Promise<LoginOutcome> | LoginOutcome =>
  data.mechanism === "API_KEY_PLAIN"
    ? world.accounts.withKey(data.api_key, data.username, session.secure)
    : world.accounts.withPassword(data.username, data.password);

const accept = ({ session }: Call, outcome: LoginOutcome): outcome is Exclude<LoginOutcome, string> => {
  if (typeof outcome === "string") return false;
  session.identity = outcome;
  return true;
};

const loginEx = async (call: Call, data: LoginData): Promise<object> => {
  const outcome = await prove(call, data);
  if (!accept(call, outcome)) return { response_type: outcome === "expired" ? "EXPIRED" : "AUTH_ERR" };
  return {
    response_type: "SUCCESS",
    user_info: data.login_options.user_info ? describeUser(outcome.user, firstUid) : null,
    authenticator: "LEVEL_1",
  };
};

export const authMethods = [
  method("auth.mechanism_choices", { releases: from("25.04"), access: "anybody" }, {}, async ({ world, session }) => {
    // Without a login these releases stumble over their own session.
    if (world.release !== "26.0" && session.identity === undefined)
      throw new Error("'NoneType' object has no attribute 'may_create_auth_token'");
    return ["API_KEY_PLAIN", "TOKEN_PLAIN", "PASSWORD_PLAIN"];
  }),
  method("auth.login_ex", { releases: from("25.04"), access: "anybody" }, { login_data: loginData }, (call, args) =>
    loginEx(call, args.login_data),
  ),
  method("auth.login_with_api_key", { releases, access: "anybody" }, { api_key: z.string() }, async (call, args) =>
    accept(call, await call.world.accounts.withKey(args.api_key, undefined, call.session.secure)),
  ),
  method(
    "auth.login",
    { releases, access: "anybody" },
    { username: z.string(), password: z.string(), otp_token: z.string().nullable().default(null) },
    async (call, { username, password }) => accept(call, call.world.accounts.withPassword(username, password)),
  ),
  method("auth.me", { releases, access: "logged-in" }, {}, async ({ session }) => {
    if (session.identity === undefined) throw new CallError("Not authenticated", "ENOTAUTHENTICATED");
    return describeUser(session.identity.user, firstUid);
  }),
  method("auth.logout", { releases, access: "logged-in" }, {}, async ({ session }) => {
    session.identity = undefined;
    return true;
  }),
];
