/** Every method that the stand-in answers: one table. docs/nas/stand-in.md is printed from it. */
import { authMethods } from "./calls/auth.ts";
import { coreMethods } from "./calls/core.ts";
import { datasetChangeMethods } from "./calls/dataset-change.ts";
import { datasetCreateMethods } from "./calls/dataset-create.ts";
import { datasetDeleteMethods } from "./calls/dataset-delete.ts";
import { datasetQueryMethods } from "./calls/dataset-query.ts";
import { filesystemMethods } from "./calls/filesystem.ts";
import { iscsiExtentMethods } from "./calls/iscsi-extent.ts";
import { iscsiGlobalMethods } from "./calls/iscsi-global.ts";
import { iscsiTargetExtentMethods, iscsiTargetMethods } from "./calls/iscsi-target.ts";
import { nfsMethods } from "./calls/nfs.ts";
import { resourceChangeMethods } from "./calls/resource-change.ts";
import { resourceQueryMethods } from "./calls/resource-query.ts";
import { snapshotChangeMethods } from "./calls/snapshot-change.ts";
import { snapshotCreateMethods } from "./calls/snapshot-create.ts";
import { snapshotDeleteMethods } from "./calls/snapshot-delete.ts";
import { snapshotQueryMethods } from "./calls/snapshot-query.ts";
import { systemMethods } from "./calls/system.ts";
import { taskMethods } from "./calls/tasks.ts";
import type { Method } from "./method.ts";

/** A name is in it once for each set of releases in which it means something else. */
export const methods: readonly Method[] = [
  ...coreMethods(() => methods),
  ...authMethods,
  ...systemMethods,
  ...datasetQueryMethods,
  ...datasetCreateMethods,
  ...datasetChangeMethods,
  ...datasetDeleteMethods,
  ...snapshotQueryMethods,
  ...snapshotCreateMethods,
  ...snapshotChangeMethods,
  ...snapshotDeleteMethods,
  ...resourceQueryMethods,
  ...resourceChangeMethods,
  ...taskMethods,
  ...filesystemMethods,
  ...nfsMethods,
  ...iscsiGlobalMethods,
  ...iscsiTargetMethods,
  ...iscsiExtentMethods,
  ...iscsiTargetExtentMethods,
];
