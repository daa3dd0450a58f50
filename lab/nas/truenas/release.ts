/** The releases that the stand-in poses as, and how each calls itself. */

/** What differs between versions differs by these. */
export const releases = ["24.10", "25.04", "25.10", "26.0"] as const;

export type Release = (typeof releases)[number];

/** The release that a version belongs to: "25.10.1" is a "25.10". Throws for a version that the stand-in does not know. */
export const releaseOf = (version: string): Release => {
  const release = releases.find((known) => version === known || version.startsWith(`${known}.`));
  if (release === undefined) throw new Error(`unknown TrueNAS version ${version}; known are ${releases.join(", ")}`);
  return release;
};

/** What `system.version` says. */
export const systemVersion = (version: string): string =>
  releaseOf(version) === "24.10" ? `TrueNAS-SCALE-${version}` : `TrueNAS-${version}`;

/** Every release from `first` to `last`. */
export const from = (first: Release, last: Release = "26.0"): readonly Release[] =>
  releases.slice(releases.indexOf(first), releases.indexOf(last) + 1);

/** The names below /api/ that a server of this release answers under, oldest first; none before 25.04. */
export const apiVersions: Readonly<Record<Release, readonly string[]>> = {
  "24.10": [],
  "25.04": ["v25.04.0", "v25.04.1", "v25.04.2"],
  "25.10": ["v25.04.0", "v25.04.1", "v25.04.2", "v25.10.0", "v25.10.1"],
  "26.0": ["v25.04.0", "v25.04.1", "v25.04.2", "v25.10.0", "v25.10.1", "v26.0.0"],
};

/** REST v2.0 went with 26. */
export const speaksRest = (release: Release): boolean => release !== "26.0";
