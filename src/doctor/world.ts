import type { LoadedConfig } from "../config/load.ts";
import type { Context } from "../context.ts";
import type { OperationList } from "../operation/operations.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import type { Nas, NasRemover } from "../systems/nas/port.ts";
import type { Bucket } from "../systems/s3/port.ts";

/** What doctor may use. Each part is opened by the check that needs it, and fails there. */
export interface DoctorWorld {
  readonly context: Context;
  readonly loaded: LoadedConfig;
  kubernetes(): Promise<Kubernetes>;
  bucket(): Promise<Bucket>;
  /** For a try that leaves nothing behind, not even the name of this cluster in the bucket. */
  bucketWithoutFence(): Promise<Bucket>;
  /** Password of the kopia repositories, from where holdfast.yaml says. */
  password(): Promise<string>;
  /** Everything that Holdfast has begun, as far as this machine and the bucket know. */
  operations(): Promise<OperationList>;
  nas(): Promise<Nas>;
  nasRemover(): Promise<NasRemover>;
}
