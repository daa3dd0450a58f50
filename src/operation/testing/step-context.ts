import type { StepContext } from "../step-kind.ts";

/** Of a step that nothing ends, and that nobody has begun before. */
export const aStepContext = (): StepContext => ({
  operation: "op-1",
  signal: new AbortController().signal,
  used: false,
  resumed: false,
  say: () => undefined,
});
