import { Failure } from "../../../model/failure.ts";

/** Who logs in, and with what. The key never goes into any text. */
export interface Login {
  readonly user: string;
  readonly apiKey: string;
}

interface LoginAnswer {
  readonly response_type?: unknown;
}

const unauthorized = (user: string, why: string, todo?: string): Failure =>
  new Failure("NAS_UNAUTHORIZED", {
    what: `TrueNAS does not let the user "${user}" in.`,
    why,
    ...(todo === undefined ? {} : { todo }),
  });

/**
 * Logs a new connection in by `auth.login_ex`, whose refusals are results. Throws NAS_UNAUTHORIZED and NAS_KEY_REVOKED,
 * and what `call` throws.
 */
export const logIn = async (
  call: (method: string, params: readonly unknown[]) => Promise<unknown>,
  { user, apiKey }: Login,
): Promise<void> => {
  const answer = (await call("auth.login_ex", [
    { mechanism: "API_KEY_PLAIN", username: user, api_key: apiKey, login_options: { user_info: false } },
  ])) as LoginAnswer | null;
  const type = answer?.response_type;
  switch (type) {
    case "SUCCESS":
      return;
    case "AUTH_ERR":
      throw unauthorized(user, "The API key is wrong, or belongs to another user.");
    case "EXPIRED":
      throw new Failure("NAS_KEY_REVOKED", {
        what: `The API key of the user "${user}" is no longer valid.`,
        why: "TrueNAS says that it has expired or was revoked; it revokes a key at once when it arrives unencrypted.",
      });
    case "OTP_REQUIRED":
      throw unauthorized(
        user,
        "TrueNAS asks for a one-time password, which no program can type.",
        "Switch two-factor authentication off for this user: it logs in by key only and needs no password.",
      );
    case "REDIRECT":
      throw unauthorized(
        user,
        "TrueNAS sends the login to another controller.",
        "Give the address of the active controller in nas.url.",
      );
    case "DENIED":
      throw unauthorized(
        user,
        "TrueNAS denies the login: the user is locked, has no privilege, or API keys are switched off.",
        "Give the user a group with a privilege (docs/nas/truenas.md), and look at System > Security: STIG mode forbids API keys.",
      );
    default:
      throw unauthorized(user, `TrueNAS answered the login with ${JSON.stringify(type)?.slice(0, 40)}.`);
  }
};
