/** How external-resizer runs beside a driver's controller, as a plain process: it makes volumes larger when their claim asks. */

export interface ResizerOptions {
  /** The csi-resizer program. */
  readonly binary: string;
  /** Credentials that may read claims and write claims' and PVs' sizes; an absolute path. */
  readonly kubeconfig: string;
  readonly controllerSocket: string;
}

/** The command line. There is one replica, so no leader is elected. */
export const resizerCommand = ({ binary, kubeconfig, controllerSocket }: ResizerOptions): readonly string[] => [
  binary,
  `--kubeconfig=${kubeconfig}`,
  `--csi-address=${controllerSocket}`,
  "--leader-election=false",
  "--timeout=60s",
  "--retry-interval-max=10s",
  // The driver makes an image larger whether or not a pod uses it; the file system follows when it is staged.
  "--handle-volume-inuse-error=false",
];
