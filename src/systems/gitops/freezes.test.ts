import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../kubernetes/port.ts";
import type { Application, ApplicationSet } from "./argo-objects.ts";
import { type Freeze, freezeKey, freezesOf, freezeText, isOverdue, overdueFrom, wayOut } from "./freezes.ts";
import { frozenAnnotation, pausePatch, setPatch, thawPatch } from "./freezing.ts";

const minute = 60_000;
const began = Date.UTC(2026, 10, 26, 12);
const freezing = (operation: string, after = 0) => ({ operation, now: new Date(began + after).toISOString() });

const annotated = (annotation: string | undefined): KubeObject => ({
  metadata: {
    namespace: "argocd",
    name: "sonarr",
    ...(annotation === undefined ? {} : { annotations: { [frozenAnnotation]: annotation } }),
  },
});
const application = (annotation?: string) => ({ ...annotated(annotation), spec: {} }) as Application;
const set = (annotation?: string) => ({ ...annotated(annotation), spec: {} }) as ApplicationSet;

/** What a patch of freezing.ts writes into the annotation. */
const written = (patch: object | undefined): string =>
  (patch as { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } }).metadata.annotations[
    frozenAnnotation
  ] ?? "";

const deployer = { kind: "Application", namespace: "argocd", name: "sonarr" } as const;
const nothingKnown = { deployer, operation: undefined, since: undefined };

describe("what stands still", () => {
  it("is each Application and ApplicationSet that an operation holds, with the time of its freeze", () => {
    const found = freezesOf({
      applications: [application(written(pausePatch(application(), freezing("op-1")))), application()],
      sets: [set(written(setPatch(set(), freezing("op-2", minute)))), set()],
    });
    expect(found).toEqual([
      { deployer, operation: "op-1", since: began },
      { deployer: { ...deployer, kind: "ApplicationSet" }, operation: "op-2", since: began + minute },
    ]);
  });

  it("cannot be let go by what is damaged, and that is said", () => {
    expect(() => thawPatch(application("{"), "op-1")).toThrow(
      expect.objectContaining({
        code: "GITOPS_NOT_FROZEN",
        what: "The annotation holdfast.dev/frozen of the object argocd/sonarr cannot be read.",
      }) as Error,
    );
  });

  it("is told once for each operation that holds it, as long as that one does", () => {
    const first = written(pausePatch(application(), freezing("op-1")));
    const both = written(pausePatch(application(first), freezing("op-2", minute)));
    const holders = (annotation: string) =>
      freezesOf({ applications: [application(annotation)], sets: [] }).map(({ operation }) => operation);
    expect(holders(both)).toEqual(["op-1", "op-2"]);
    expect(holders(written(thawPatch(application(both), "op-1")))).toEqual(["op-2"]);
  });

  it.each([
    "",
    "{",
    "null",
    "yes",
    '{"by":{"op-1":"2026-11-26T12:00:00Z"}}',
    '{"before":{},"by":["op-1"]}',
    '{"before":{},"by":{"op-1":5}}',
    '{"before":{"enabled":"maybe"},"by":{"op-1":"2026-11-26T12:00:00Z"}}',
    '{"before":{},"by":{}}',
  ])("is told, with nothing known of it, where the annotation is damaged: %s", (annotation) => {
    expect(freezesOf({ applications: [application(annotation)], sets: [] })).toEqual([nothingKnown]);
  });

  it("is told by what can be read where a part is damaged", () => {
    const by = { "op-1": "2026-11-26T12:00:00Z", "op-2": "yesterday", "; reboot": "2026-11-26T12:00:00Z" };
    expect(freezesOf({ applications: [application(JSON.stringify({ before: {}, by }))], sets: [] })).toEqual([
      { deployer, operation: "op-1", since: began },
      { deployer, operation: "op-2", since: undefined },
      nothingKnown,
    ]);
  });
});

describe("a freeze", () => {
  const freeze: Freeze = { deployer, operation: "op-1", since: began };

  it("is overdue after more than 15 minutes, and not a moment before", () => {
    expect(isOverdue(freeze, began + 15 * minute)).toBe(false);
    expect(isOverdue(freeze, began + 15 * minute + 1)).toBe(true);
    expect(overdueFrom(freeze)).toBe(began + 15 * minute + 1);
  });

  it("is overdue at once where nobody knows since when it stands", () => {
    expect(isOverdue(nothingKnown, began)).toBe(true);
  });

  it("is another one than that of another deployer, operation or time", () => {
    const others: readonly Freeze[] = [
      freeze,
      { ...freeze, deployer: { ...deployer, kind: "ApplicationSet" } },
      { ...freeze, operation: "op-2" },
      { ...freeze, since: began + 1 },
      nothingKnown,
    ];
    expect(new Set(others.map(freezeKey)).size).toBe(others.length);
    expect(freezeKey({ ...freeze })).toBe(freezeKey(freeze));
  });

  it("is told with its operation, how long it lasts, and what ends it", () => {
    expect(freezeText(freeze, began + 16 * minute)).toBe(
      "Application argocd/sonarr is held still by the operation op-1, for 16m",
    );
    expect(wayOut(freeze)).toBe("`holdfast resume op-1` goes on, `holdfast undo op-1` goes back");
    expect(freezeText(nothingKnown, began)).toBe(
      "Application argocd/sonarr is held still by an operation that is not known, nobody knows since when",
    );
    expect(wayOut(nothingKnown)).toContain("docs/guard.md");
  });
});

const document = readFileSync(new URL("../../../docs/guard.md", import.meta.url), "utf8");

/** The patch of the line that the document has behind this comment. */
const told = (comment: string): unknown => {
  const line = new RegExp(`<!-- ${comment} -->\\s+\`\`\`sh\\n[^\\n]*-p '([^\\n']+)'\\n`).exec(document)?.[1];
  if (line === undefined) throw new Error(`docs/guard.md has no line that ${comment}`);
  return JSON.parse(line);
};

describe("the lines of docs/guard.md that let go by hand", () => {
  it("do to an Application what the operation would", () => {
    const before = { enabled: null, skip: null };
    const annotation = JSON.stringify({ before, by: { "op-1": "2026-11-26T12:00:00Z" } });
    const automated = { prune: true, enabled: false };
    const frozen = { ...application(annotation), spec: { syncPolicy: { automated } } };
    expect(document.includes(JSON.stringify(before))).toBe(true);
    expect(told("lets an Application go")).toEqual(thawPatch(frozen, "op-1"));
  });

  it("do to an ApplicationSet what the operation would", () => {
    const before = { applicationsSync: "sync", hadPolicy: true };
    const frozen = set(JSON.stringify({ before, by: { "op-1": "2026-11-26T12:00:00Z" } }));
    expect(document.includes(JSON.stringify(before))).toBe(true);
    expect(told("lets an ApplicationSet go")).toEqual(thawPatch(frozen, "op-1"));
  });
});
