import { connect, createServer, type Socket } from "node:net";
import { createFindHolder } from "../src/server/external/local-users/loopback-holders.ts";
import { askProcNet } from "../src/tools/sockets/proc-net.ts";
import { measure, median, percentile, printFigure } from "./harness.ts";

const ROUNDS = 5000;
const SLOW_ROUNDS = 20;
const BUDGET_MS = 0.2;
const HOST = "127.0.0.1";

const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

const formatUs = (ms: number): string => `${(ms * 1000).toFixed(1)} µs`;

const open = (port: number): Promise<Socket> => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: HOST, port }, () => resolve(socket));
  socket.once("error", reject);
  return promise;
};

/** What a request by loopback costs more, for who made its connection is asked. */
export const benchHolders = async (): Promise<void> => {
  const rules = { serverUid: process.getuid?.() ?? 0, minUid: 1000, overflowUid: 65_534 };
  const findHolder = createFindHolder({ serverUser: "bench", rules, findName: async () => "bench", log });
  const server = createServer().listen(0, HOST);
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const near = { address: HOST, port: typeof address === "object" && address !== null ? address.port : 0 };
  const sockets: Socket[] = [];
  for (const connections of [1, 1000]) {
    while (sockets.length < connections) sockets.push(await open(near.port));
    const far = { address: HOST, port: sockets[0]?.localPort ?? 0 };
    const times = await measure(ROUNDS, () => void findHolder(near, far));
    const against = `p99 ${formatUs(percentile(times, 0.99))}, ${(median(times) / BUDGET_MS).toFixed(2)} × the budget of ${formatUs(BUDGET_MS)}`;
    printFigure(`who holds the other end, of ${connections}`, formatUs(median(times)), against);
    const slow = await measure(SLOW_ROUNDS, () => void askProcNet({ own: far, other: near }));
    printFigure("one of the two questions by /proc", formatUs(median(slow)));
  }
  for (const socket of sockets) socket.destroy();
  server.close();
};
