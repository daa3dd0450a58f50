/** What to type on the bad night, for one very cluster. It lies in the kit and holds no secret. */
import { normalPrefix, repositoryPrefix } from "../systems/velero/bucket-layout.ts";
import type { Kit } from "./kit.ts";

/** Names of what the runbook exports and writes; the kit's holdfast.yaml refers to them. */
export const variables = {
  accessKeyId: "AWS_ACCESS_KEY_ID",
  secretAccessKey: "AWS_SECRET_ACCESS_KEY",
  password: "KOPIA_PASSWORD",
  nasKey: "NAS_KEY",
  nasRemoverKey: "NAS_REMOVER_KEY",
  bucketCaFile: "bucket-ca.pem",
  nasCaFile: "nas-ca.pem",
} as const;

type Contents = Omit<Kit, "runbook">;

/** A word as a shell takes it. */
const word = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Pure; the texts of all parts, in the order in which they are needed. */
export const runbook = (kit: Contents): string =>
  [
    heading(kit),
    opening(kit),
    withHoldfast(),
    withKopia(kit),
    newCluster(),
    ...(kit.nas === undefined ? [] : [withNas(kit.nas)]),
    afterwards(),
  ].join("\n");

const heading = ({ cluster, made, versions, bucket }: Contents): string => {
  const known = [
    `Holdfast ${versions.holdfast}`,
    ...(versions.kubernetes === undefined ? [] : [`Kubernetes ${versions.kubernetes}`]),
    ...(versions.velero === undefined ? [] : [`Velero ${versions.velero}`]),
  ];
  return `This kit opens the backups of the cluster "${cluster.name}"${cluster.uid === undefined ? "" : ` (UID of kube-system: ${cluster.uid})`}.
They lie in the bucket "${bucket.name}" at ${bucket.endpoint}, below "${bucket.prefix}".
Made ${made}; then: ${known.join(", ")}.
Whoever reads this kit can read every volume and every Secret of the cluster.
`;
};

/** kopia keeps the password in its own configuration until it is told not to. */
const afterwards = (): string => `AFTER THAT
What was opened lies in the clear. Remove it, and close the terminal with what you exported:
  rm kit.json
  kopia repository disconnect
`;

const exported = (name: string, path: string): string => `  export ${name}="$(jq -r ${path} kit.json)"`;

const opening = ({ bucket, nas }: Contents): string =>
  [
    "OPEN IT",
    "On a machine that reaches the bucket, in an empty directory. KIT is the sealed file.",
    "  umask 077",
    "  holdfast kit show KIT --secrets -o json >kit.json      add --identity FILE unless it has a passphrase",
    "Without Holdfast, the same:",
    "  age -d -i FILE KIT >kit.json                           with a passphrase: age -d KIT >kit.json",
    "Then, for everything below (kit.json is text: without jq, copy the values by hand):",
    exported(variables.accessKeyId, ".bucket.accessKeyId"),
    exported(variables.secretAccessKey, ".bucket.secretAccessKey"),
    exported(variables.password, ".repository.password"),
    ...(bucket.ca === undefined ? [] : [`  jq -r .bucket.ca kit.json >${variables.bucketCaFile}`]),
    ...(nas === undefined ? [] : [exported(variables.nasKey, ".nas.key")]),
    ...(nas?.remover === undefined ? [] : [exported(variables.nasRemoverKey, ".nas.remover.key")]),
    ...(nas?.ca === undefined ? [] : [`  jq -r .nas.ca kit.json >${variables.nasCaFile}`]),
    "",
  ].join("\n");

const withHoldfast = (): string => `WHAT IS THERE, AND BACK INTO A CLUSTER: HOLDFAST
  jq -r .holdfastYaml kit.json >holdfast.yaml
  holdfast points
  holdfast points show POINT
These need only the bucket. With a cluster that answers (KUBECONFIG), and the claim in it:
  holdfast restore NAMESPACE/CLAIM
`;

const withKopia = ({ bucket }: Contents): string => {
  const { host, protocol } = new URL(bucket.endpoint);
  const options = [
    `--bucket ${word(bucket.name)}`,
    `--endpoint ${word(host)}`,
    `--region ${word(bucket.region)}`,
    `--prefix ${word(repositoryPrefix(normalPrefix(bucket.prefix), "NAMESPACE"))}`,
    ...(protocol === "http:" ? ["--disable-tls"] : []),
    ...(bucket.ca === undefined ? [] : [`--root-ca-pem-path ${variables.bucketCaFile}`]),
    "--readonly --override-username default --override-hostname default",
  ];
  return `FILES WITHOUT A CLUSTER AND WITHOUT HOLDFAST: KOPIA
Each namespace has a repository of its own; put its name for NAMESPACE.
  kopia repository connect s3 ${options.join(" ")}
  kopia snapshot list --all
  kopia snapshot restore SNAPSHOT-ID ./there
Which snapshot belongs to which claim: holdfast points show POINT -o wide
`;
};

const newCluster = (): string => `A NEW CLUSTER
Before Velero starts in it for the first time, give it the old password, or it makes repositories that do not fit:
  kubectl create namespace velero
  kubectl -n velero create secret generic velero-repo-credentials --from-literal=repository-password="$${variables.password}"
Then install Velero on the same bucket and prefix, with its garbage collector off (--disable-controllers=gc): else it
deletes old backups as soon as it sees them.
`;

const withNas = ({ url, user, parents }: NonNullable<Kit["nas"]>): string => `THE NAS
The volumes' own data may still be there, untouched, even when the cluster is gone. Look before you restore anything:
  ${url} as the user ${user}, or a shell on the NAS
${parents.map((parent) => `  zfs list -r -t filesystem,volume,snapshot ${word(parent)}`).join("\n")}
Delete nothing there. A dataset that is still there is newer than every backup.
`;
