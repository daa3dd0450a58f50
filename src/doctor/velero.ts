/** Velero's server: there, running, new enough, and not deleting behind Holdfast's back. */
import { isFailure } from "../model/failure.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import { flagValues } from "./flag-values.ts";
import { askServerVersion } from "./server-status.ts";
import {
  parseVersion,
  readVelero,
  requireAvailable,
  requireNewEnough,
  tagOf,
  type VeleroDeployment,
} from "./velero-deployment.ts";
import type { DoctorWorld } from "./world.ts";

export const veleroChecks = (world: DoctorWorld): readonly Check[] => {
  const { namespace } = world.loaded.config.velero;
  const read = async (): Promise<VeleroDeployment> => readVelero(await world.kubernetes(), namespace);
  const needs = ["velero"];
  return [
    {
      id: "velero",
      title: "Velero installed",
      needs: ["kubernetes"],
      look: async () => ok(`Deployment ${(await read()).name}`),
    },
    {
      id: "velero-available",
      title: "Velero's server",
      needs,
      look: async () => {
        const velero = await read();
        requireAvailable(velero);
        return ok(`Deployment ${velero.name} is available`);
      },
    },
    { id: "velero-version", title: "Velero's version", needs, look: async () => versionFinding(world, await read()) },
    { id: "velero-gc", title: "Velero's garbage collector", needs, look: async () => collectorFinding(await read()) },
    { id: "velero-plugin", title: "Velero's plugin", needs, look: async () => pluginFinding(await read()) },
  ];
};

/** The server's own word, or why there is none and what to do about that. */
type Answer = { readonly version: string } | { readonly because: string; readonly todo: string };

/** A doctor without the right to ask still sees the image. */
const serverAnswer = async (world: DoctorWorld, velero: VeleroDeployment): Promise<Answer> => {
  const { namespace } = world.loaded.config.velero;
  const todo = `Look at its log: kubectl -n ${namespace} logs deployment/velero`;
  if (velero.unavailable !== undefined) return { because: "the server is not available", todo };
  try {
    const version = await askServerVersion(await world.kubernetes(), world.context, namespace);
    if (version !== undefined) return { version };
    return { because: "the server did not answer a ServerStatusRequest within 10 s", todo };
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_FORBIDDEN")) throw error;
    return { because: error.what, todo: error.todo ?? "" };
  }
};

const versionFinding = async (world: DoctorWorld, velero: VeleroDeployment): Promise<Finding> => {
  const answer = await serverAnswer(world, velero);
  const own = "version" in answer ? answer.version : "";
  const told = [own, tagOf(velero.image) ?? ""].find((text) => parseVersion(text) !== undefined);
  if (told !== undefined) requireNewEnough(told);
  if ("because" in answer) return warning(`${told ?? "unknown"} by the image's tag: ${answer.because}`, answer.todo);
  if (told === undefined) {
    return warning(
      `the version "${own}" says nothing (image ${velero.image})`,
      "Holdfast is tested with Velero v1.18; run an image with a version in its tag.",
    );
  }
  return ok(own === told ? told : `${told} by the image's tag (the server calls itself "${own}")`);
};

const collectorFinding = (velero: VeleroDeployment): Finding =>
  flagValues(velero.arguments, "--disable-controllers").some((value) => value.split(",").includes("gc"))
    ? ok("off: only Holdfast's retention deletes backups")
    : warning(
        "on: Velero deletes backups by their TTL, whatever Holdfast's retention says",
        `Add --disable-controllers=gc to the arguments of the Deployment ${velero.name} (Helm: configuration.disableControllers: gc).`,
      );

/** Releases that store compressed objects in a way that S3-compatible stores give back damaged (velero#9951). */
const damaging: ReadonlySet<string> = new Set(["v1.14.1", "v1.14.2"]);

const pluginFinding = (velero: VeleroDeployment): Finding => {
  const image = velero.plugins.find((candidate) => candidate.includes("velero-plugin-for-aws"));
  if (image === undefined) {
    return warning(
      velero.plugins.length === 0
        ? "no plugin is installed"
        : `no velero-plugin-for-aws among ${velero.plugins.join(", ")}`,
      "Velero reaches S3 through velero-plugin-for-aws: velero plugin add velero/velero-plugin-for-aws:v1.14.3",
    );
  }
  if (!damaging.has(tagOf(image) ?? "")) return ok(image);
  return warning(
    `${image} damages what it stores in S3-compatible stores`,
    "Upgrade it to velero/velero-plugin-for-aws:v1.14.3, then back up again.",
  );
};
