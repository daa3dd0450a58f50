/** The form of a failure in the catalogue. */
export interface CatalogueEntry {
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 10 | 11 | 130;
  /** The family's meaning, for the list of errors in the documents. */
  readonly meaning: string;
  /** What to do, when the place that throws has nothing better to say. */
  readonly todo: string;
}

export const entry = (exit: CatalogueEntry["exit"], meaning: string, todo: string): CatalogueEntry => ({
  exit,
  meaning,
  todo,
});
