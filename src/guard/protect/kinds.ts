/** All kinds of steps of the guard. */
import type { Clock } from "../../context.ts";
import type { StepKind } from "../../operation/step-kind.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { marksStep } from "./steps/marks.ts";
import { guardPolicy } from "./steps/policy.ts";
import { retainVolumes } from "./steps/retain.ts";

export interface GuardOptions {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** ms for each wait. */
  readonly timeout: number;
}

export const guardKinds = (options: GuardOptions): readonly StepKind[] => [
  retainVolumes(options.kubernetes),
  marksStep(options.kubernetes, "mark-objects"),
  marksStep(options.kubernetes, "hold-claims"),
  guardPolicy(options),
  marksStep(options.kubernetes, "open-guard"),
];
