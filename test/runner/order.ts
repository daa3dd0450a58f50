/** The order of test files. */
import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Half of the unit tests' time, however small the files are: begun last, they would leave a core idle. */
const longest = ["/src/restore/kill-matrix.test.ts", "/src/agent/crashes.alone.test.ts"];

const numberOf = (file: string): number => Number(/^(\d+)-/.exec(basename(file))?.[1] ?? 50);

const inLab = ({ moduleId }: TestSpecification): boolean => /\/test\/(?:lab|long)\//.test(moduleId);

/**
 * The lab's files share one lab: they come by the number that a name begins with, 50 without one. Others come in vitest's
 * own order, large ones first, but for those that take longest.
 */
export class Order extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files.filter((file) => !inLab(file)));
    const isLongest = ({ moduleId }: TestSpecification): boolean => longest.some((one) => moduleId.endsWith(one));
    const ours = files
      .filter(inLab)
      .toSorted(
        (a, b) => numberOf(a.moduleId) - numberOf(b.moduleId) || (basename(a.moduleId) < basename(b.moduleId) ? -1 : 1),
      );
    return [...others.filter(isLongest), ...others.filter((file) => !isLongest(file)), ...ours];
  }
}
