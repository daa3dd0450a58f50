/** The image that stands in for a zvol; the lab's CSI node mounts it. */
import { imageName } from "../../csi/volume-shape.ts";
import { output } from "../../zfs/exec.ts";
import { volsizeProperty } from "./objects.ts";
import type { World } from "./world.ts";

const imageOf = ({ mountRoot }: World, dataset: string): string => `${mountRoot}/${dataset}/${imageName}`;

/** Makes the volume this large; never smaller. */
export const setVolsize = async (world: World, dataset: string, bytes: number): Promise<void> => {
  await output(world.exec, "truncate", ["-s", String(bytes), imageOf(world, dataset)]);
  await world.zfs.set(dataset, { [volsizeProperty]: String(bytes) });
};

/** After a clone or a rollback: the image came with the content, and the size is what it says. */
export const adoptImage = async (world: World, dataset: string): Promise<void> => {
  const bytes = (await output(world.exec, "stat", ["-c", "%s", imageOf(world, dataset)])).trim();
  await world.zfs.set(dataset, { [volsizeProperty]: bytes });
};
