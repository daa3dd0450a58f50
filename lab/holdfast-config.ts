/** The holdfast.yaml that a user of this lab would write. */
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { type Lab, paths } from "./lab.ts";
import { bucketName, datasets, s3Endpoint, veleroPrefix } from "./nas/nas.ts";
import { nasApi, nasUsers } from "./nas/truenas-daemon.ts";
import { policyName, repositoryPassword, veleroNamespace } from "./velero/settings.ts";

/** Path of the Holdfast image in the lab's cluster. */
export const holdfastImage = "docker.io/holdfast/holdfast:dev";

export const writeHoldfastConfig = (lab: Lab): void => {
  const {
    holdfastConfig,
    kubeconfig,
    caFile,
    s3Credentials,
    repositoryPassword: passwordFile,
    nasKey,
    nasRemoverKey,
  } = paths(lab);
  writeFileSync(passwordFile, `${repositoryPassword}\n`, { mode: 0o600 });
  const config = {
    version: 1,
    cluster: { kubeconfig },
    bucket: {
      endpoint: s3Endpoint,
      name: bucketName,
      prefix: veleroPrefix,
      region: "home",
      caFile,
      credentials: { file: s3Credentials },
    },
    repository: { password: { file: passwordFile } },
    nas: {
      kind: "truenas",
      url: nasApi,
      user: nasUsers.holdfast.username,
      key: { file: nasKey },
      remover: { user: nasUsers.remover.username, key: { file: nasRemoverKey } },
      caFile,
      parents: [datasets.nfs, datasets.iscsi],
    },
    velero: { namespace: veleroNamespace, policyConfigMap: policyName },
    holdfast: { cluster: "lab", image: holdfastImage },
    policy: { rpo: "24h", timeZone: "Europe/Berlin", keep: { daily: 7, weekly: 4 } },
    volumes: {
      exclude: [{ volume: "misc/host-data", reason: "a directory of the node that can be made again" }],
      expectEmpty: ["misc/empty"],
    },
  };
  writeFileSync(holdfastConfig, stringify(config));
};
