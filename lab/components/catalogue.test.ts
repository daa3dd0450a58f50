import { describe, expect, it } from "vitest";
import { componentNames, pinnedVersion, readCatalogue } from "./catalogue.ts";

const versions = (): Record<string, string> =>
  Object.fromEntries([...readCatalogue()].map(([name, { version }]) => [name, version]));

describe("the catalogue", () => {
  it("takes every version from the pins", () => {
    expect(versions()).toMatchObject({
      etcd: "v3.6.16",
      etcdutl: "v3.6.16",
      "kube-apiserver": "v1.34.4",
      kubectl: "v1.34.4",
      velero: "v1.18.3",
      "velero-helper": "v1.18.3",
      "velero-plugin-for-aws": "v1.14.3",
      "cp-plugin": "v1.14.3",
      "csi-provisioner": "v6.3.0",
      "csi-resizer": "v2.2.0",
      kopia: "v0.0.0-20251230033609-d946b1e75197",
      coredns: "v1.15.0",
      argocd: "v3.2.6",
    });
  });

  it("builds kube-apiserver before everything that shares its packages", () => {
    expect([...readCatalogue().keys()]).toEqual([...componentNames]);
    expect(componentNames[0]).toBe("kube-apiserver");
  });

  it("knows where the official releases lie", () => {
    const catalogue = readCatalogue("amd64");
    expect(catalogue.get("kubectl")?.download).toEqual({
      site: "kubernetes",
      path: "/v1.34.4/bin/linux/amd64/kubectl",
      checksums: "/v1.34.4/bin/linux/amd64/kubectl.sha256",
    });
    expect(catalogue.get("etcdctl")?.download?.member).toBe("etcd-v3.6.16-linux-amd64/etcdctl");
    expect(catalogue.get("kopia")?.download).toBeUndefined();
  });

  it("gives the programs their version by linker flags", () => {
    const catalogue = readCatalogue();
    expect(catalogue.get("kubelet")?.ldflags).toBe(
      "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
    );
    expect(catalogue.get("cp-plugin")?.ldflags).toBe(
      "-s -w -X github.com/vmware-tanzu/velero/pkg/buildinfo.Version=v1.18.3",
    );
    expect(catalogue.get("minio")?.ldflags).toBe("-s -w");
  });

  it("has another key for another processor and for every program", () => {
    const keys = [...readCatalogue("amd64").values(), ...readCatalogue("arm64").values()].map(({ key }) => key);
    expect(new Set(keys).size).toBe(2 * componentNames.length);
  });
});

describe("a pinned version", () => {
  const goMod =
    "module m\nreplace a.b/c => d.e/c v2.0.0\ntool (\n\ta.b/x\n)\nrequire (\n\ta.b/c v1.0.0 // indirect\n\ta.b/x v1.2.3 // indirect\n)\nrequire a.b/y v0.1.0\n";
  it("is the replacement's where there is one", () => {
    expect(pinnedVersion(goMod, "a.b/c")).toBe("v2.0.0");
    expect(pinnedVersion(goMod, "a.b/x")).toBe("v1.2.3");
    expect(pinnedVersion(goMod, "a.b/y")).toBe("v0.1.0");
    expect(() => pinnedVersion(goMod, "a.b/z")).toThrow("a.b/z is not pinned");
  });
});
