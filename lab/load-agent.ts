/** Gives a running lab the agent as the sources have it now, without starting anything anew. */
import type { Lab } from "./lab.ts";
import { importImage } from "./node/images.ts";
import { ensureParts } from "./parts.ts";
import type { Report } from "./shell/report.ts";

export const loadAgent = async (lab: Lab, report: Report): Promise<void> => {
  const { images } = await ensureParts(lab, report);
  const image = images.find((file) => /\/holdfast-[^/]+$/.test(file));
  if (image === undefined) throw new Error("the parts of a lab have no image of Holdfast");
  await report.step("image of Holdfast into the node", () => importImage(lab, image));
};
