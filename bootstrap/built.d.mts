/** True when what `npm run build` has made in the checkout is newer than its sources. Cost: a look at every source file. */
export function isBuilt(root: string): boolean;
