/** How long the newest undelete took until its last claim was Bound, by what the operation itself has written down. */
interface Step {
  readonly id: string;
  readonly began?: string;
  readonly ended?: string;
}

/** Runs holdfast to its end and gives its standard output. */
export type Holdfast = (...words: readonly string[]) => Promise<string>;

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what the command prints
const answer = async <T>(holdfast: Holdfast, ...words: readonly string[]): Promise<T> =>
  JSON.parse(await holdfast(...words, "-o", "json")) as T;

const seconds = ({ began, ended }: Step): number =>
  began === undefined || ended === undefined ? 0 : (Date.parse(ended) - Date.parse(began)) / 1000;

export interface BoundTime {
  /** Until the last claim was Bound. The time that pods took to end is taken off. */
  readonly seconds: number;
  /** Of each step, and "before": until the first one began. */
  readonly parts: Readonly<Record<string, number>>;
}

/** `start`: ms since 1970, when the command was begun. */
export const boundTime = async (holdfast: Holdfast, start: number): Promise<BoundTime> => {
  const { operations } = await answer<{
    readonly operations: readonly { readonly id: string; readonly verb: string }[];
  }>(holdfast, "operations", "list");
  const id = operations.find(({ verb }) => verb === "undelete")?.id;
  if (id === undefined) throw new Error("there was no undelete");
  const { steps } = await answer<{ readonly steps: readonly Step[] }>(holdfast, "operations", "show", id);
  const bound = steps.find(({ id: step }) => step === "bind")?.ended;
  if (bound === undefined) throw new Error("the undelete has bound nothing");
  const [first] = steps;
  const before = (Date.parse(first?.began ?? "") - start) / 1000;
  const parts = { before, ...Object.fromEntries(steps.map((step) => [step.id, seconds(step)])) };
  const pods = steps.filter(({ id: step }) => step === "stop").reduce((sum, step) => sum + seconds(step), 0);
  return { seconds: (Date.parse(bound) - start) / 1000 - pods, parts };
};
