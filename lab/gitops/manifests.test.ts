import type { ConfigMap } from "kubernetes-types/core/v1.d.ts";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import { describe, expect, it } from "vitest";
import { adaptManifests } from "./manifests.ts";

const released = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: applications.argoproj.io
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: argocd-application-controller
---
apiVersion: v1
data:
  resource.exclusions: |
    ---
    kinds: [Lease]
kind: ConfigMap
metadata:
  name: argocd-cm
---
apiVersion: v1
kind: Secret
metadata:
  name: argocd-secret
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-redis
spec:
  template:
    spec:
      containers:
      - args: [--requirepass $(REDIS_PASSWORD)]
        image: public.ecr.aws/docker/library/redis:8.2.2-alpine
        imagePullPolicy: Always
        name: redis
      initContainers:
      - command: [argocd, admin, redis-initial-password]
        image: quay.io/argoproj/argocd:v3.2.6
        name: secret-init
      serviceAccountName: argocd-redis
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-repo-server
spec:
  template:
    spec:
      containers:
      - args: [/usr/local/bin/argocd-repo-server]
        image: quay.io/argoproj/argocd:v3.2.6
        name: argocd-repo-server
        readinessProbe: {httpGet: {path: /healthz, port: 8084}, initialDelaySeconds: 5, periodSeconds: 10}
        volumeMounts:
        - {mountPath: /tmp, name: tmp}
      initContainers:
      - {command: [/bin/cp, -n], image: quay.io/argoproj/argocd:v3.2.6, name: copyutil}
      volumes:
      - {emptyDir: {}, name: tmp}
`;

const { definitions, objects } = adaptManifests(released, "/labs/one/gitops");
const podOf = (index: number) => (objects[index] as Deployment).spec?.template.spec;

describe("Argo CD's manifests in the lab", () => {
  it("keep the definitions as they are, apart from the rest", () => {
    expect(definitions).toContain("applications.argoproj.io");
    expect(objects).toHaveLength(5);
    expect(objects[0]).toEqual({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "argocd-application-controller" },
    });
  });

  it("make Argo CD quick, and keep its other settings", () => {
    expect((objects[1] as ConfigMap).data).toEqual({
      "resource.exclusions": "---\nkinds: [Lease]\n",
      "timeout.reconciliation": "10s",
      "timeout.reconciliation.jitter": "0s",
    });
  });

  it("have the key that the API server would make up", () => {
    expect(objects[2]).toMatchObject({ kind: "Secret", stringData: { "server.secretkey": "lab" } });
  });

  it("run redis from the image that the lab has", () => {
    expect(podOf(3)).toMatchObject({
      serviceAccountName: "argocd-redis",
      containers: [
        {
          image: "quay.io/argoproj/argocd:v3.2.6",
          imagePullPolicy: "IfNotPresent",
          command: ["redis-server"],
          args: ["--requirepass $(REDIS_PASSWORD)"],
        },
      ],
      initContainers: [{ name: "secret-init", imagePullPolicy: "IfNotPresent" }],
    });
  });

  it("show the repositories to the repo-server alone", () => {
    expect(podOf(4)).toMatchObject({
      initContainers: [],
      containers: [
        {
          volumeMounts: [{ name: "tmp" }, { name: "git", mountPath: "/git", readOnly: true }],
          readinessProbe: { httpGet: { path: "/healthz" }, periodSeconds: 2 },
        },
      ],
      volumes: [{ name: "tmp" }, { name: "git", hostPath: { path: "/labs/one/gitops", type: "Directory" } }],
    });
    expect(podOf(3)?.volumes).toBeUndefined();
  });
});
