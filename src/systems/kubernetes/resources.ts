import type { Resource } from "./port.ts";

const namespaced = (apiVersion: string, kind: string, plural: string): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});
const clusterWide = (apiVersion: string, kind: string, plural: string): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced: false,
});

/** Every kind of object that Holdfast reads or writes. */
export const resources = {
  pods: namespaced("v1", "Pod", "pods"),
  persistentVolumeClaims: namespaced("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  persistentVolumes: clusterWide("v1", "PersistentVolume", "persistentvolumes"),
  namespaces: clusterWide("v1", "Namespace", "namespaces"),
  nodes: clusterWide("v1", "Node", "nodes"),
  secrets: namespaced("v1", "Secret", "secrets"),
  configMaps: namespaced("v1", "ConfigMap", "configmaps"),
  serviceAccounts: namespaced("v1", "ServiceAccount", "serviceaccounts"),
  events: namespaced("v1", "Event", "events"),

  deployments: namespaced("apps/v1", "Deployment", "deployments"),
  statefulSets: namespaced("apps/v1", "StatefulSet", "statefulsets"),
  replicaSets: namespaced("apps/v1", "ReplicaSet", "replicasets"),
  daemonSets: namespaced("apps/v1", "DaemonSet", "daemonsets"),
  jobs: namespaced("batch/v1", "Job", "jobs"),
  cronJobs: namespaced("batch/v1", "CronJob", "cronjobs"),
  horizontalPodAutoscalers: namespaced("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),

  storageClasses: clusterWide("storage.k8s.io/v1", "StorageClass", "storageclasses"),
  volumeSnapshotContents: clusterWide("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent", "volumesnapshotcontents"),
  volumeAttachments: clusterWide("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments"),
  csiNodes: clusterWide("storage.k8s.io/v1", "CSINode", "csinodes"),
  leases: namespaced("coordination.k8s.io/v1", "Lease", "leases"),
  customResourceDefinitions: clusterWide(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
  ),

  backups: namespaced("velero.io/v1", "Backup", "backups"),
  restores: namespaced("velero.io/v1", "Restore", "restores"),
  schedules: namespaced("velero.io/v1", "Schedule", "schedules"),
  backupStorageLocations: namespaced("velero.io/v1", "BackupStorageLocation", "backupstoragelocations"),
  podVolumeBackups: namespaced("velero.io/v1", "PodVolumeBackup", "podvolumebackups"),
  podVolumeRestores: namespaced("velero.io/v1", "PodVolumeRestore", "podvolumerestores"),
  backupRepositories: namespaced("velero.io/v1", "BackupRepository", "backuprepositories"),
  deleteBackupRequests: namespaced("velero.io/v1", "DeleteBackupRequest", "deletebackuprequests"),
  serverStatusRequests: namespaced("velero.io/v1", "ServerStatusRequest", "serverstatusrequests"),

  applications: namespaced("argoproj.io/v1alpha1", "Application", "applications"),
  applicationSets: namespaced("argoproj.io/v1alpha1", "ApplicationSet", "applicationsets"),

  admissionPolicies: clusterWide(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
  ),
  admissionPolicyBindings: clusterWide(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
  ),
} as const satisfies Record<string, Resource>;

/** The API group of a resource, "" for the core group: what RBAC rules call `apiGroups`. */
export const groupOf = (resource: Resource): string => {
  const slash = resource.apiVersion.indexOf("/");
  return slash < 0 ? "" : resource.apiVersion.slice(0, slash);
};

/** The resource as kubectl and the API server name it: "pods", "backups.velero.io". */
export const fullNameOf = (resource: Resource): string => {
  const group = groupOf(resource);
  return group === "" ? resource.plural : `${resource.plural}.${group}`;
};
