/** How external-provisioner runs beside a driver's controller, as a plain process. */

export interface ProvisionerOptions {
  /** The csi-provisioner program. */
  readonly binary: string;
  /** Credentials that may read claims and classes and write PVs; an absolute path. */
  readonly kubeconfig: string;
  readonly controllerSocket: string;
  /** What DeleteVolume may take before Kubernetes gives up on the call; longer than `busyRetry.giveUpAfterMs`. */
  readonly timeoutSeconds?: number;
}

/** The command line. There is one replica, so no leader is elected; topology is off because the driver does not offer it. */
export const provisionerCommand = ({
  binary,
  kubeconfig,
  controllerSocket,
  timeoutSeconds = 160,
}: ProvisionerOptions): readonly string[] => [
  binary,
  `--kubeconfig=${kubeconfig}`,
  `--csi-address=${controllerSocket}`,
  "--leader-election=false",
  "--extra-create-metadata",
  `--timeout=${timeoutSeconds}s`,
  "--worker-threads=10",
  // A volume that is still in use is asked for again; in a lab nobody wants to wait five minutes for that.
  "--retry-interval-start=500ms",
  "--retry-interval-max=10s",
  // There are no VolumeSnapshot CRDs to sweep.
  "--snapshot-orphan-sweep-interval=0",
];
