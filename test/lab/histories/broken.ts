/** What must never be was seen: the history shows a defect. */
export class Broken extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Broken";
  }
}
