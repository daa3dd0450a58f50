/** The repository password: the same for Velero and Holdfast, not a public one, and the one that opens what is stored. */
import { openRepositories } from "../inventory/repositories.ts";
import { Failure } from "../model/failure.ts";
import { formatBlobName } from "../systems/kopia/password.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import { type Check, type Finding, ok, unknown, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What Velero takes when nobody gives it a password; it stands in its source. */
const publicDefault = "static-passw0rd";
const secretName = "velero-repo-credentials";
const secretKey = "repository-password";

export const passwordChecks = (world: DoctorWorld): readonly Check[] => [
  { id: "password", title: "Repository password", look: async () => passwordFinding(await world.password()) },
  {
    id: "password-velero",
    title: "Velero's password is ours",
    needs: ["password", "velero"],
    look: () => sameFinding(world),
  },
  {
    id: "repositories",
    title: "Password opens the repositories",
    needs: ["password", "bucket"],
    look: () => openFinding(world),
  },
];

const passwordFinding = (password: string): Finding =>
  password === publicDefault
    ? warning(
        "it is Velero's public default: whoever reads the bucket reads every volume",
        `A repository keeps the password that it was made with. Before the first backup: put one of your own into the Secret ${secretName} and into what repository.password refers to. After it: let nobody else read the bucket.`,
      )
    : ok("can be read, and is not Velero's public default");

const sameFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { namespace } = world.loaded.config.velero;
  const kubernetes = await world.kubernetes();
  const secret = await kubernetes.get<Secret>(resources.secrets, { namespace, name: secretName });
  const encoded = secret?.data?.[secretKey];
  const name = `${namespace}/${secretName}, key ${secretKey}`;
  if (encoded === undefined) {
    throw new Failure("REPOSITORY_PASSWORD", {
      what: `There is no Secret ${name}.`,
      why: "Velero makes one with its public default when it starts, and fails backups until then",
      todo: `kubectl -n ${namespace} create secret generic ${secretName} --from-file=${secretKey}=FILE, with the password that holdfast.yaml refers to.`,
    });
  }
  // Velero trims it too (getRepoPassword in pkg/repository/provider).
  const theirs = Buffer.from(encoded, "base64").toString("utf8").trim();
  if (theirs === (await world.password()).trim()) return ok(`same as in the Secret ${name}`);
  throw new Failure("REPOSITORY_PASSWORD", {
    what: "Velero and holdfast.yaml have different repository passwords.",
    why: `the Secret ${name} holds another one than repository.password refers to`,
    todo: `Put Velero's password where repository.password points; the check "repositories" tells which one is right. Keep a copy outside the cluster.`,
  });
};

const openFinding = async (world: DoctorWorld): Promise<Finding> => {
  const prefix = normalPrefix(world.loaded.config.bucket.prefix);
  const { opened, closed } = await openRepositories(await world.bucket(), prefix, await world.password());
  const count = opened.length + closed.length;
  if (count === 0) return unknown("there is no kopia repository in the bucket yet");
  if (closed.length === 0) return ok(`opens ${count === 1 ? "the one" : `all ${count}`}: ${opened.join(", ")}`);
  throw new Failure("REPOSITORY_PASSWORD", {
    what: `The password does not open ${closed.length} of ${count} repositories: ${closed.join(", ")}.`,
    why: `repository.password is not what they were made with, or their ${formatBlobName} is damaged`,
    todo: "Find the password of the Velero that made them. Without it their copies are lost.",
  });
};
