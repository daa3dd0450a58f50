/** The node's certificates and kubeconfigs, laid out as kubeadm lays them out under /etc/kubernetes. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { createAuthority, issue, serviceAccountKeys, type Authority } from "../components/pki.ts";
import { type Lab, network, nodeName, paths } from "../lab.ts";

const apiServerNames = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "localhost",
  "node.lab",
];
const apiServerAddresses = ["127.0.0.1", network.apiService, network.node];
export const apiServerUrl = `https://${network.node}:6443`;

interface Identity {
  readonly file: string;
  readonly CN: string;
  readonly O?: string;
}

/** Who talks to the API server, with the name of the kubeconfig that kubeadm would write. */
const identities: readonly Identity[] = [
  { file: "admin.conf", CN: "kubernetes-admin", O: "system:masters" },
  { file: "controller-manager.conf", CN: "system:kube-controller-manager" },
  { file: "scheduler.conf", CN: "system:kube-scheduler" },
  { file: "kubelet.conf", CN: `system:node:${nodeName}`, O: "system:nodes" },
  { file: "proxy.conf", CN: "system:kube-proxy" },
];

const base64 = (file: string): string => readFileSync(file).toString("base64");

const kubeconfig = (authority: Authority, pair: { readonly crt: string; readonly key: string }, user: string): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server: apiServerUrl, "certificate-authority-data": base64(authority.crt) } }],
    users: [{ name: user, user: { "client-certificate-data": base64(pair.crt), "client-key-data": base64(pair.key) } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user } }],
    "current-context": "lab",
  });

const clusterCertificates = async (pki: string, authority: Authority): Promise<void> => {
  await Promise.all([
    issue(authority, pki, {
      name: "apiserver",
      subject: { CN: "kube-apiserver" },
      dns: apiServerNames,
      ips: apiServerAddresses,
      usages: "server",
    }),
    issue(authority, pki, {
      name: "apiserver-kubelet-client",
      subject: { CN: "kube-apiserver-kubelet-client", O: "system:masters" },
      usages: "client",
    }),
    issue(authority, pki, {
      name: "kubelet",
      subject: { CN: `system:node:${nodeName}`, O: "system:nodes" },
      dns: [nodeName],
      ips: [network.node, "127.0.0.1"],
      usages: "both",
    }),
  ]);
};

const etcdCertificates = async (pki: string): Promise<void> => {
  const dir = join(pki, "etcd");
  const authority = await createAuthority(dir, "etcd-ca");
  const both = { dns: ["localhost", nodeName], ips: ["127.0.0.1", network.node], usages: "both" } as const;
  await Promise.all([
    issue(authority, dir, { name: "server", subject: { CN: nodeName }, ...both }),
    issue(authority, dir, { name: "peer", subject: { CN: nodeName }, ...both }),
    issue(authority, dir, {
      name: "healthcheck-client",
      subject: { CN: "kube-etcd-healthcheck-client" },
      usages: "client",
    }),
    issue(authority, pki, {
      name: "apiserver-etcd-client",
      subject: { CN: "kube-apiserver-etcd-client" },
      usages: "client",
    }),
  ]);
};

const frontProxyCertificates = async (pki: string): Promise<void> => {
  const authority = await createAuthority(pki, "front-proxy-ca", "front-proxy-ca");
  await issue(authority, pki, { name: "front-proxy-client", subject: { CN: "front-proxy-client" }, usages: "client" });
};

/** Makes all keys, certificates and kubeconfigs of a new node, and the user's kubeconfig in the lab's folder. */
export const writeCertificates = async (lab: Lab): Promise<void> => {
  const { pki, kubernetes, kubeconfig: userKubeconfig } = paths(lab);
  mkdirSync(pki, { recursive: true });
  const authority = await createAuthority(pki, "kubernetes");
  await Promise.all([
    clusterCertificates(pki, authority),
    etcdCertificates(pki),
    frontProxyCertificates(pki),
    serviceAccountKeys(pki),
  ]);
  await Promise.all(
    identities.map(async ({ file, CN, O }) => {
      const pair = await issue(authority, pki, {
        name: `${file.replace(/\.conf$/, "")}-user`,
        subject: O === undefined ? { CN } : { CN, O },
        usages: "client",
      });
      writeFileSync(join(kubernetes, file), kubeconfig(authority, pair, CN), { mode: 0o600 });
    }),
  );
  copyFileSync(join(kubernetes, "admin.conf"), userKubeconfig);
};
