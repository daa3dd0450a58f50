/** Every kind of step that an undelete has of its own. */
import type { StepKind } from "../../operation/step-kind.ts";
import type { GitOps } from "../../systems/gitops/port.ts";
import { bindBack } from "./steps/bind-back.ts";
import { freezeGitOps, thawGitOps } from "./steps/gitops.ts";
import { type KeepOptions, keepVolumes } from "./steps/keep-volumes.ts";
import { makeClaim } from "./steps/make-claim.ts";
import { makeNamespace } from "./steps/namespace.ts";
import { releaseClaims } from "./steps/release-claims.ts";

export const undeleteKinds = (options: KeepOptions, gitops: GitOps): readonly StepKind[] => [
  freezeGitOps(gitops),
  thawGitOps(gitops),
  keepVolumes(options),
  releaseClaims(options),
  makeNamespace(options),
  bindBack(options),
  makeClaim(options),
];

/** Those after which other volumes are there than before. */
export const undeletingKinds: ReadonlySet<string> = new Set(["release-claims", "bind-back", "make-claim"]);
