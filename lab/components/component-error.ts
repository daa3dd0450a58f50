/** A component could not be had. The message says why and what to do. */
export class ComponentError extends Error {
  override readonly name = "ComponentError";
}
