/** The part of the contract about several writers of one object, and about removals that only ask. */
import { describe, expect, it } from "vitest";
import { failureOf } from "../../model/testing/failure-of.ts";
import type { KubeObject, Kubernetes } from "./port.ts";
import { resources } from "./resources.ts";

interface Subject {
  readonly kubernetes: Kubernetes;
  readonly namespace: string;
  /** A name that nobody has used. */
  readonly fresh: () => string;
}

const { configMaps } = resources;

const configMap = (namespace: string, name: string, meta: object = {}): KubeObject => ({
  metadata: { name, namespace, ...meta },
});

export const describeOwners = (subject: () => Subject): void => {
  describe("server-side apply beside other writers", () => {
    it("adds to finalizers and annotations, takes back only its own, and names the owner of each", async () => {
      const at = { name: subject().fresh(), namespace: subject().namespace };
      const theirs = { finalizers: ["holdfast.example/theirs"], annotations: { "example/theirs": "1" } };
      await subject().kubernetes.create(configMaps, configMap(subject().namespace, at.name, theirs));
      const ours = { finalizers: ["holdfast.example/ours"], annotations: { "example/ours": "1" } };
      const both = await subject().kubernetes.apply(configMaps, configMap(subject().namespace, at.name, ours));
      expect(both.metadata.annotations).toEqual({ ...theirs.annotations, ...ours.annotations });
      expect(both.metadata.finalizers?.toSorted()).toEqual([...ours.finalizers, ...theirs.finalizers]);
      const applied = both.metadata.managedFields?.filter(({ operation }) => operation === "Apply");
      expect(applied).toMatchObject([
        {
          manager: "holdfast",
          fieldsV1: {
            "f:metadata": {
              "f:annotations": { "f:example/ours": {} },
              "f:finalizers": { 'v:"holdfast.example/ours"': {} },
            },
          },
        },
      ]);
      const alone = await subject().kubernetes.apply(configMaps, configMap(subject().namespace, at.name));
      expect(alone.metadata).toMatchObject(theirs);
      expect(alone.metadata.managedFields?.some(({ operation }) => operation === "Apply")).toBe(false);
      await subject().kubernetes.mergePatch(configMaps, at, { metadata: { finalizers: null } });
    });

    it("is a conflict for an object that is not there or is another one, when a uid was given", async () => {
      const uid = "00000000-0000-0000-0000-000000000000";
      const name = subject().fresh();
      const absent = await failureOf(
        subject().kubernetes.apply(configMaps, configMap(subject().namespace, name, { uid })),
      );
      expect(absent.code).toBe("KUBERNETES_CONFLICT");
      await subject().kubernetes.create(configMaps, configMap(subject().namespace, name));
      const other = await failureOf(
        subject().kubernetes.apply(configMaps, configMap(subject().namespace, name, { uid })),
      );
      expect(other.code).toBe("KUBERNETES_CONFLICT");
    });
  });

  describe("a dry run", () => {
    it("removes nothing in a dry run, and answers as it would", async () => {
      const at = { name: subject().fresh(), namespace: subject().namespace };
      const made = await subject().kubernetes.create(configMaps, configMap(subject().namespace, at.name));
      await subject().kubernetes.remove(configMaps, at, { dryRun: true, uid: made.metadata.uid ?? "" });
      expect(await subject().kubernetes.get(configMaps, at)).toEqual(made);
      const other = { dryRun: true, uid: "00000000-0000-0000-0000-000000000000" };
      expect((await failureOf(subject().kubernetes.remove(configMaps, at, other))).code).toBe("KUBERNETES_CONFLICT");
    });
  });
};
