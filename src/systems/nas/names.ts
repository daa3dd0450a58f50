/** What the names of ZFS tell by themselves. */

/** "tank" of "tank/k8s/a@x". */
export const poolOf = (name: string): string => name.split(/[/@]/, 1)[0] ?? name;

/** "tank/k8s" of "tank/k8s/a"; undefined for the dataset of a pool. */
export const parentOf = (dataset: string): string | undefined =>
  dataset.includes("/") ? dataset.slice(0, dataset.lastIndexOf("/")) : undefined;

/** Whether a dataset lies below another one, at any depth. */
export const isBelow = (name: string, dataset: string): boolean => name.startsWith(`${dataset}/`);

/** The two halves of "tank/a@x"; `snapshot` is empty for a dataset's name. */
export const partsOf = (name: string): { readonly dataset: string; readonly snapshot: string } => {
  const [dataset = "", ...rest] = name.split("@");
  return { dataset, snapshot: rest.join("@") };
};

const component = "[A-Za-z0-9_.: -]+";
const datasetName = new RegExp(`^[A-Za-z]${component}(/${component})*$|^[A-Za-z](/${component})*$`);
const snapshotName = new RegExp(`^${component}$`);
/** ZFS' limit for a whole name. */
const longest = 255;

/** Whether ZFS takes this as the name of a dataset: no "@", no slash in front, no part that would lead out of its place. */
export const isDatasetName = (name: string): boolean =>
  datasetName.test(name) && name.length <= longest && !/(^|\/)\.\.?(\/|$)/.test(name);

/** Whether ZFS takes this as a snapshot's full name. */
export const isSnapshotName = (name: string): boolean => {
  const { dataset, snapshot } = partsOf(name);
  return isDatasetName(dataset) && snapshotName.test(snapshot) && name.length <= longest;
};

/** Whether ZFS takes this as the name of a user property: with a colon, of small letters, digits and :._-. */
export const isPropertyName = (name: string): boolean =>
  /^[a-z0-9:._-]+$/.test(name) && name.includes(":") && !name.startsWith("-");
