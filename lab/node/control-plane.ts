/** etcd, the API server, the controller manager and the scheduler, with the flags that a kubeadm node would have. */
import { join } from "node:path";
import type { ComponentName } from "../components/catalogue.ts";
import { type Lab, network, nodeName, paths } from "../lab.ts";
import type { Daemon } from "../site/daemon.ts";

/** Finds the absolute path of a component's binary. */
export type Binaries = (name: ComponentName) => string;

/** --unsafe-no-fsync: the lab's etcd need not survive a power cut; durability tests start their own. */
export const etcd = (lab: Lab, binary: Binaries): Daemon => {
  const pki = join(paths(lab).pki, "etcd");
  return {
    name: "etcd",
    command: [
      binary("etcd"),
      `--name=${nodeName}`,
      "--data-dir=/var/lib/etcd",
      `--listen-client-urls=https://127.0.0.1:2379,https://${network.node}:2379`,
      `--advertise-client-urls=https://${network.node}:2379`,
      `--listen-peer-urls=https://${network.node}:2380`,
      `--initial-advertise-peer-urls=https://${network.node}:2380`,
      `--initial-cluster=${nodeName}=https://${network.node}:2380`,
      `--cert-file=${pki}/server.crt`,
      `--key-file=${pki}/server.key`,
      `--trusted-ca-file=${pki}/ca.crt`,
      "--client-cert-auth=true",
      `--peer-cert-file=${pki}/peer.crt`,
      `--peer-key-file=${pki}/peer.key`,
      `--peer-trusted-ca-file=${pki}/ca.crt`,
      "--peer-client-cert-auth=true",
      "--unsafe-no-fsync",
    ],
  };
};

/** The words of an etcdctl that the node's etcd lets in. */
export const etcdClient = (lab: Lab, binary: Binaries): readonly string[] => {
  const pki = join(paths(lab).pki, "etcd");
  return [
    binary("etcdctl"),
    `--endpoints=https://${network.node}:2379`,
    `--cacert=${pki}/ca.crt`,
    `--cert=${pki}/healthcheck-client.crt`,
    `--key=${pki}/healthcheck-client.key`,
  ];
};

export const apiServer = (lab: Lab, binary: Binaries): Daemon => {
  const { pki } = paths(lab);
  return {
    name: "kube-apiserver",
    command: [
      binary("kube-apiserver"),
      `--advertise-address=${network.node}`,
      "--secure-port=6443",
      "--allow-privileged=true",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      `--client-ca-file=${pki}/ca.crt`,
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      "--etcd-servers=https://127.0.0.1:2379",
      `--etcd-cafile=${pki}/etcd/ca.crt`,
      `--etcd-certfile=${pki}/apiserver-etcd-client.crt`,
      `--etcd-keyfile=${pki}/apiserver-etcd-client.key`,
      `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
      `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
      `--kubelet-certificate-authority=${pki}/ca.crt`,
      // Otherwise `kubectl logs` asks DNS for the node's name.
      "--kubelet-preferred-address-types=InternalIP",
      `--service-account-key-file=${pki}/sa.pub`,
      `--service-account-signing-key-file=${pki}/sa.key`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-cluster-ip-range=${network.services}`,
      `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
      `--proxy-client-key-file=${pki}/front-proxy-client.key`,
    ],
  };
};

export const controllerManager = (lab: Lab, binary: Binaries): Daemon => {
  const { pki } = paths(lab);
  return {
    name: "kube-controller-manager",
    command: [
      binary("kube-controller-manager"),
      "--kubeconfig=/etc/kubernetes/controller-manager.conf",
      "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
      "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf",
      `--service-account-private-key-file=${pki}/sa.key`,
      `--root-ca-file=${pki}/ca.crt`,
      `--cluster-signing-cert-file=${pki}/ca.crt`,
      `--cluster-signing-key-file=${pki}/ca.key`,
      "--use-service-account-credentials=true",
      "--allocate-node-cidrs=true",
      `--cluster-cidr=${network.pods}`,
      `--service-cluster-ip-range=${network.services}`,
      // One replica: an election would only delay the start.
      "--leader-elect=false",
    ],
  };
};

export const scheduler = (_lab: Lab, binary: Binaries): Daemon => ({
  name: "kube-scheduler",
  command: [
    binary("kube-scheduler"),
    // It has missed that a claim was bound, and looked again only after its five minutes (seen once, in 1.34.4).
    "--pod-max-in-unschedulable-pods-duration=10s",
    "--kubeconfig=/etc/kubernetes/scheduler.conf",
    "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
    "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
    "--leader-elect=false",
  ],
});
