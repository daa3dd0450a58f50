import type { Growth } from "./backend.ts";
import type { Handlers } from "./rpc.ts";

/** The methods of csi.v1.Identity. */
export const identityHandlers = (driverName: string, growth: Growth): Handlers => ({
  GetPluginInfo: async () => ({ name: driverName, vendor_version: "0.1.0" }),
  GetPluginCapabilities: async () => ({
    capabilities: [{ service: { type: "CONTROLLER_SERVICE" } }, { volume_expansion: { type: growth } }],
  }),
  Probe: async () => ({}),
});
