/** All commands. Their bodies are loaded when they run, so that --help answers at once. */
import { buildApplication, buildRouteMap, type Application } from "@stricli/core";
import type { CliContext } from "./cli-context.ts";
import { adoptCommand } from "./adopt.ts";
import { backupCommand } from "./backup.ts";
import { doctorCommand } from "./doctor.ts";
import { exitStatusHelp } from "./exit-status-help.ts";
import { guardRoutes } from "./guard.ts";
import { nasRoutes } from "./nas.ts";
import { operationsRoutes, resumeCommand, settleCommand, undoCommand } from "./operations.ts";
import { kitRoutes } from "./kit.ts";
import { pointsRoutes } from "./points.ts";
import { restoreCommand } from "./restore.ts";
import { retireCommand } from "./retire.ts";
import { serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { trashRoutes } from "./trash.ts";
import { undeleteCommand } from "./undelete.ts";
import { whyCommand } from "./why.ts";

const routes = buildRouteMap<string, CliContext>({
  routes: {
    status: statusCommand,
    doctor: doctorCommand,
    backup: backupCommand,
    restore: restoreCommand,
    guard: guardRoutes,
    undelete: undeleteCommand,
    retire: retireCommand,
    trash: trashRoutes,
    undo: undoCommand,
    resume: resumeCommand,
    operations: operationsRoutes,
    settle: settleCommand,
    points: pointsRoutes,
    why: whyCommand,
    nas: nasRoutes,
    adopt: adoptCommand,
    kit: kitRoutes,
    serve: serveCommand,
  },
  docs: { brief: "Every volume of your cluster, provably recoverable", fullDescription: exitStatusHelp },
});

export const application = (version: string): Application<CliContext> =>
  buildApplication<CliContext>(routes, {
    name: "holdfast",
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true, useAliasInUsageLine: false },
  });
