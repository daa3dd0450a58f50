/** Names the operation that a temporary object serves. */
export const operationLabel = "holdfast.dev/operation";

/** Labels on everything temporary that Holdfast makes in the cluster, so that it is recognised and can be tidied away. */
export const managedLabels = (operation: string): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/managed-by": "holdfast",
  [operationLabel]: operation,
});
