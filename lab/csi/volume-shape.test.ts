import { expect, it } from "vitest";
import {
  birthProperties,
  datasetOf,
  diskOf,
  iqnOf,
  iscsiAssetsName,
  iscsiShareContext,
  nfsShareContext,
  successProperties,
  targetNameOf,
  volumeContext,
} from "./volume-shape.ts";

const naming = { namePrefix: "csi-", nameSuffix: "-clusterA" };

it("gives an NFS volume the attributes that democratic-csi gives it", () => {
  const share = nfsShareContext("10.0.0.5", "/mnt/tank/k8s/nfs/v/pvc-1");
  expect(volumeContext({ protocol: "nfs", instanceId: "lab" }, share)).toEqual({
    node_attach_driver: "nfs",
    server: "10.0.0.5",
    share: "/mnt/tank/k8s/nfs/v/pvc-1",
    provisioner_driver: "freenas-api-nfs",
    provisioner_driver_instance_id: "lab",
  });
});

it("gives an iSCSI volume the attributes that democratic-csi gives it", () => {
  const iqn = iqnOf("iqn.2005-10.org.freenas.ctl", iscsiAssetsName("pvc-1", naming));
  expect(volumeContext({ protocol: "iscsi" }, iscsiShareContext("10.0.0.5", iqn))).toEqual({
    node_attach_driver: "iscsi",
    portal: "10.0.0.5:3260",
    portals: "",
    interface: "",
    iqn: "iqn.2005-10.org.freenas.ctl:csi-pvc-1-clustera",
    lun: "0",
    provisioner_driver: "freenas-api-iscsi",
  });
});

it("leaves on the dataset all that makes the PV again", () => {
  const share = nfsShareContext("10.0.0.5", "/mnt/x");
  expect({ ...birthProperties({ protocol: "nfs", instanceId: "lab" }, "pvc-1"), ...successProperties(share) }).toEqual({
    "democratic-csi:managed_resource": "true",
    "democratic-csi:csi_volume_name": "pvc-1",
    "democratic-csi:volume_context_provisioner_driver": "freenas-api-nfs",
    "democratic-csi:volume_context_provisioner_instance_id": "lab",
    "democratic-csi:csi_share_volume_context": '{"node_attach_driver":"nfs","server":"10.0.0.5","share":"/mnt/x"}',
    "democratic-csi:provision_success": "true",
  });
});

it("finds the target in an IQN and the dataset in an extent's disk", () => {
  expect(targetNameOf("iqn.2005-10.org.freenas.ctl:csi-a:b")).toBe("csi-a:b");
  expect(datasetOf(diskOf("tank/k8s/iscsi/v/pvc-1"))).toBe("tank/k8s/iscsi/v/pvc-1");
});
