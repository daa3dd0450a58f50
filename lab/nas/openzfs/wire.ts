/** A wire between a client and a port of this machine that a test can freeze and cut. */
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  readonly port: number;
  /** How many connections were made over it. */
  readonly connections: number;
  /** Lets nothing through any more on the connections that there are. */
  freeze(): void;
  /** Breaks the connections that there are; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export const openWire = async (target: number): Promise<Wire> => {
  const ends = new Set<readonly [client: Socket, server: Socket]>();
  let connections = 0;
  const cut = (): void => {
    for (const pair of ends) for (const end of pair) end.destroy();
    ends.clear();
  };
  const server = createServer((client) => {
    connections += 1;
    const behind = connect(target, "127.0.0.1");
    ends.add([client, behind]);
    for (const [end, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      end.pipe(other);
      // What breaks on one side breaks on the other.
      end.on("error", () => other.destroy());
      end.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    get connections() {
      return connections;
    },
    freeze: () => {
      for (const [client, behind] of ends) {
        behind.unpipe(client);
        client.unpipe(behind);
      }
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
