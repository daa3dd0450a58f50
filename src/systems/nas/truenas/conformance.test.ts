/** The adapter on a scripted TrueNAS of each release; lab/nas/truenas has the one on real ZFS. */
import { describeNas } from "../conformance.ts";
import { releases, startBench, subjectOf } from "./testing/subject.ts";

for (const [version, scheme] of releases)
  describeNas(`${version} over ${scheme}`, async () => await subjectOf(await startBench(version, scheme)));
