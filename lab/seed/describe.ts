/** The shapes of volumes by name, and what a seed makes of them. */
import type { SeedEntry } from "./entry.ts";
import type { Plot } from "./plot.ts";
import { mealie, pihole } from "./shapes/household.ts";
import { jackett, plex } from "./shapes/media.ts";
import { odd } from "./shapes/oddities.ts";
import { benchMany, benchOne, many, small } from "./shapes/plain.ts";
import { qbittorrent } from "./shapes/qbittorrent.ts";
import { radarr, sonarr } from "./shapes/servarr.ts";

const shapes = {
  sonarr,
  radarr,
  jackett,
  plex,
  qbittorrent,
  pihole,
  mealie,
  odd,
  small,
  many,
  "bench-one": benchOne,
  "bench-many": benchMany,
} satisfies Record<string, (seed: string) => Plot>;

export type Shape = keyof typeof shapes;

export const shapeNames = Object.keys(shapes) as readonly Shape[];

export const isShape = (name: string): name is Shape => Object.hasOwn(shapes, name);

/**
 * Every entry of a volume, the root first: the same shape and seed always give the same entries. Parents come before
 * their children and files before their hard links.
 */
export const describeVolume = (shape: Shape, seed: string): readonly SeedEntry[] => shapes[shape](seed).entries();
