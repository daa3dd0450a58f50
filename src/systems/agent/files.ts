/** The secret files beside a job: written by the pod's maker, read by the agent. */

/** Names of the files under /job. */
export const secretFileNames = {
  accessKeyId: "access-key-id",
  secretAccessKey: "secret-access-key",
  password: "repository-password",
  ca: "ca.crt",
} as const;

export interface AgentSecrets {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Password of the kopia repositories. */
  readonly password: string;
  /** PEM text of the store's private CA. */
  readonly ca: string | undefined;
}

/** Contents by file name. */
export const agentFiles = (secrets: AgentSecrets): Readonly<Record<string, string>> => ({
  [secretFileNames.accessKeyId]: secrets.accessKeyId,
  [secretFileNames.secretAccessKey]: secrets.secretAccessKey,
  [secretFileNames.password]: secrets.password,
  ...(secrets.ca === undefined ? {} : { [secretFileNames.ca]: secrets.ca }),
});
