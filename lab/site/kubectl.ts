/** kubectl on the lab's laptop. */
import { type Lab, paths } from "../lab.ts";
import type { Binaries } from "../node/control-plane.ts";
import { output } from "./daemon.ts";

export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

export const kubectlOf =
  (lab: Lab, binary: Binaries): Kubectl =>
  (args, input) =>
    output(
      lab,
      "site",
      [binary("kubectl"), `--kubeconfig=${paths(lab).kubeconfig}`, ...args],
      input === undefined ? {} : { input },
    );

/** Applies objects in one call, server-side. */
export const applyObjects = async (kubectl: Kubectl, objects: readonly object[]): Promise<void> => {
  if (objects.length === 0) return;
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await kubectl(
    ["apply", "--server-side", "--force-conflicts", "--field-manager=lab", "-f", "-"],
    JSON.stringify(list),
  );
};
