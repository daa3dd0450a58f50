import { expect, it } from "vitest";
import { parseConfig } from "./config.ts";

const least = {
  nodeId: "node",
  controllerSocketDir: "/run/csi",
  registryDir: "/nas",
  nas: { address: "10.0.0.5", api: { url: "https://10.0.0.5", key: "1-a" } },
  nfs: { parentDataset: "tank/k8s/nfs/v" },
  iscsi: { parentDataset: "tank/k8s/iscsi/v" },
};

it("fills in what democratic-csi's examples use", () => {
  expect(parseConfig(least)).toMatchObject({
    kubeletDir: "/var/lib/kubelet",
    nas: { mountRoot: "/mnt" },
    iscsi: { baseIqn: "iqn.2005-10.org.freenas.ctl", namePrefix: "csi-", nameSuffix: "" },
    busyRetry: { giveUpAfterMs: 130_000, longestPauseMs: 5000 },
  });
});

it("refuses a key that it does not know", () => {
  expect(() => parseConfig({ ...least, registryDirectory: "/nas" })).toThrow("registryDirectory");
});
