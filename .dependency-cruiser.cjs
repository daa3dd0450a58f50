/** The borders of the house (ARCHITECTURE.md): imports point one way, and rooms see the outside only through ports. */
const rooms = "^src/(inventory|capture|restore)/";
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "model-knows-nobody", severity: "error", from: { path: "^src/model/" }, to: { path: "^src/", pathNot: "^src/model/" } },
    {
      name: "rooms-know-ports-not-adapters",
      severity: "error",
      from: { path: rooms, pathNot: "\\.test\\.ts$" },
      to: { path: "^src/systems/.*/(aws|client|cli|memory[^/]*|conformance|kubeconfig|wasm)\\.ts$" },
    },
    { name: "nobody-imports-the-cli", severity: "error", from: { path: "^src/", pathNot: "^src/(cli/|main\\.ts)" }, to: { path: "^src/cli/" } },
    { name: "product-never-imports-lab", severity: "error", from: { path: "^src/", pathNot: "\\.test\\.ts$" }, to: { path: "^(lab|test|bench|demo)/" } },
    { name: "one-file-knows-client-node", severity: "error", from: { path: "^src/", pathNot: "^src/systems/kubernetes/(kubeconfig|exec)\\.ts$" }, to: { path: "@kubernetes/client-node" } },
    { name: "no-dev-packages-in-product", severity: "error", from: { path: "^src/", pathNot: "(\\.test|conformance)\\.ts$" }, to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
  },
};
