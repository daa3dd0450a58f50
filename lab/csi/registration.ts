import type { PluginInfo, RegistrationStatus } from "./messages.ts";
import { type Handlers, type Log, RpcError, status } from "./rpc.ts";

/** The methods by which the kubelet learns of a driver: its name, and the socket of its node service. */
export const registrationHandlers = (driverName: string, socket: string, log: Log): Handlers => ({
  GetInfo: async (): Promise<PluginInfo> => ({
    type: "CSIPlugin",
    name: driverName,
    endpoint: socket,
    supported_versions: ["1.0.0"],
  }),
  NotifyRegistrationStatus: async ({ plugin_registered, error }: RegistrationStatus) => {
    if (!plugin_registered) throw new RpcError(status.INTERNAL, `the kubelet did not register ${driverName}: ${error}`);
    log(`the kubelet registered ${driverName}`);
    return {};
  },
});
