/** The order of the lab's test files, which share one lab: by the number that a name begins with, 50 without one. */
import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const numberOf = (file: string): number => Number(/^(\d+)-/.exec(basename(file))?.[1] ?? 50);

const inLab = ({ moduleId }: TestSpecification): boolean => /\/test\/(?:lab|long)\//.test(moduleId);

/** Files that are not the lab's keep vitest's own order. */
export class ByNumber extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files.filter((file) => !inLab(file)));
    const ours = files
      .filter(inLab)
      .toSorted(
        (a, b) => numberOf(a.moduleId) - numberOf(b.moduleId) || (basename(a.moduleId) < basename(b.moduleId) ? -1 : 1),
      );
    return [...others, ...ours];
  }
}
