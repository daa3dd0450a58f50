import { buildCommand, buildRouteMap } from "@stricli/core";
import { changeFlags, outputFlag, progressFlags, text, worldFlags } from "./flags.ts";

const idParameter = { brief: "id of the operation", parse: text, placeholder: "ID" } as const;
const oneId = { kind: "tuple", parameters: [idParameter] } as const;
const perhapsOneId = { kind: "tuple", parameters: [{ ...idParameter, optional: true }] } as const;
const goingOn = { flags: { ...worldFlags, ...changeFlags, ...progressFlags }, aliases: { y: "yes" } } as const;

const listCommand = buildCommand({
  docs: { brief: "What Holdfast has changed, newest first: how it ended, what is set aside and until when" },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" } },
  loader: async () => (await import("./operations-body.ts")).listOperations,
});

const showCommand = buildCommand({
  docs: { brief: "One operation: every step, how far it came, and what can be done about it" },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" }, positional: oneId },
  loader: async () => (await import("./operations-body.ts")).showOperation,
});

const giveUpCommand = buildCommand({
  docs: {
    brief: "Ends an operation where it stands, when it can go neither on nor back",
    fullDescription: `For one whose copy, volume or NAS is gone for good: until it has ended nothing else may begin on its volumes.
Nothing is done and nothing is taken back. What it has left is listed, with what would take it back by hand; its id must
be typed, or --yes given.`,
  },
  parameters: { ...goingOn, positional: oneId },
  loader: async () => (await import("./give-up-body.ts")).giveUp,
});

export const operationsRoutes = buildRouteMap({
  routes: { list: listCommand, show: showCommand, "give-up": giveUpCommand },
  defaultCommand: "list",
  docs: {
    brief: "What Holdfast has changed: `operations` lists it, `show ID` shows one, `give-up ID` ends one for good",
  },
});

export const resumeCommand = buildCommand({
  docs: {
    brief: "Goes on with an operation that stopped in the middle",
    fullDescription:
      "Without ID: the one that is unfinished. It goes on in the direction that it had: to its end, or back to where it began.",
  },
  parameters: { ...goingOn, positional: perhapsOneId },
  loader: async () => (await import("./going-on-body.ts")).resume,
});

export const undoCommand = buildCommand({
  docs: {
    brief: "Takes an operation back",
    fullDescription: `Without ID: the newest one that can be taken back. An unfinished operation goes back to where it began. One that is
done is undone by an operation of its own: what there is now is set aside in its turn, so that the undo can be undone.`,
  },
  parameters: { ...goingOn, positional: perhapsOneId },
  loader: async () => (await import("./going-on-body.ts")).undo,
});

export const settleCommand = buildCommand({
  docs: {
    brief: "Frees what operations have set aside, when its time is over",
    fullDescription: `Without ID: everything whose time is over (policy.undoFor). With ID: that one, now. What is freed is gone: NO UNDO, so
the names of the volumes must be typed, or --yes given.`,
  },
  parameters: { ...goingOn, positional: perhapsOneId },
  loader: async () => (await import("./going-on-body.ts")).settle,
});
