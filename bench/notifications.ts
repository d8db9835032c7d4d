import { createServer, type Socket } from "node:net";
import {
  type BenchServer,
  formatMs,
  median,
  printFigure,
  readBusyTicks,
  startServer,
  submitBatch,
  waitUntilIdle,
} from "./harness.ts";

type Service = Readonly<{ url: string; stop: () => Promise<void> }>;

type Spent = Readonly<{ ms: number; busyTicks: number }>;

type Contender = Readonly<{
  name: string;
  server: BenchServer;
  fields: Readonly<Record<string, unknown>>;
  spent: Spent[];
}>;

const JOBS = 60;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 61;
const TOLD = "told";
const CLOSED = "http://127.0.0.1:9";

const openGarbage = (): Service => {
  const fetch = (): Response => new Response(new Uint8Array(4096).fill(0x7b));
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
};

const openHanging = async (): Promise<Service> => {
  const sockets = new Set<Socket>();
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${await promise}`, stop };
};

const configureChannels = (url: string): string =>
  [
    ["slack", ""],
    ["webhook", 'secret = "whsec_c2VjcmV0"'],
    ["ntfy", ""],
    ["email", 'from = "nexus@example.org"\nto = ["ann@example.org"]'],
  ]
    .map(([type, more]) => {
      const address = type === "email" ? url.replace("http:", "smtp:") : `${url}/topic`;
      return `[notify.${type}]\ntype = "${type}"\nurl = "${address}"\nevents = ["started", "completed"]\nusers = ["${TOLD}"]\n${more}\n`;
    })
    .join("\n");

const notifyAt = (url: string): Readonly<Record<string, unknown>> => ({
  user: TOLD,
  notifications: ["discord", "phone"],
  integrations: ["nullpointer"],
  env: {
    DISCORD_USER_ID: "42",
    DISCORD_WEBHOOK_URL: `${url}/api/webhooks/1/token`,
    TWILIO_ACCOUNT_SID: "AC0",
    TWILIO_AUTH_TOKEN: "token",
    TWILIO_FROM_NUMBER: "+15005550006",
    PHONE_TO_NUMBER: "+15005550007",
  },
});

const open = async (name: string, serviceUrl: string, fields: Contender["fields"]): Promise<Contender> => {
  const settings = { NS_MAX_CPU_JOBS: "16", NS_NULLPOINTER_URL: serviceUrl, NS_TWILIO_URL: serviceUrl };
  const server = await startServer(settings, configureChannels(serviceUrl));
  process.kill(server.pid, "SIGSTOP");
  return { name, server, fields, spent: [] };
};

const timeJobs = async ({ server: { url, pid }, fields }: Contender): Promise<Spent> => {
  process.kill(pid, "SIGCONT");
  await waitUntilIdle(url);
  const [startedAt, busyBefore] = [performance.now(), readBusyTicks()];
  await submitBatch(url, JOBS, { num_gpus: 0, ...fields });
  await waitUntilIdle(url);
  const spent = { ms: performance.now() - startedAt, busyTicks: readBusyTicks() - busyBefore };
  process.kill(pid, "SIGSTOP");
  return spent;
};

const takeTurns = async (contenders: readonly Contender[]): Promise<void> => {
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const first = Math.abs(round) % contenders.length;
    const inTurn = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const contender of round % 2 === 0 ? inTurn : inTurn.toReversed()) {
      const spent = await timeJobs(contender);
      if (round >= 0) contender.spent.push(spent);
    }
  }
};

const formatShare = (ratio: number): string => `${ratio >= 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;

const compare = ({ spent }: Contender, plain: Contender, field: keyof Spent): string =>
  formatShare(median(spent.map((turn, round) => turn[field] / (plain.spent[round]?.[field] ?? Number.NaN))));

const printSpent = (contender: Contender, reference: string): void => {
  const ms = median(contender.spent.map((turn) => turn.ms));
  printFigure(`${JOBS} jobs of true, ${contender.name}`, formatMs(ms), reference);
};

const close = async ({ server }: Contender): Promise<void> => {
  process.kill(server.pid, "SIGCONT");
  await server.stop();
};

/**
 * What services that fail cost the jobs that are told of by every channel there is. Each contender has a server of its
 * own, stopped between its turns, so that what is left to send is sent in them. The second of the plain ones shows the noise.
 */
export const benchNotifications = async (): Promise<void> => {
  const [hanging, garbage] = [await openHanging(), openGarbage()];
  const openTold = (name: string, url: string): Promise<Contender> => open(`services ${name}`, url, notifyAt(url));
  const plain = await open("without notifications", CLOSED, {});
  const others = [
    await open("without notifications again", CLOSED, {}),
    await openTold("down", CLOSED),
    await openTold("hanging", hanging.url),
    await openTold("answering garbage", garbage.url),
  ];
  try {
    await takeTurns([plain, ...others]);
    printSpent(plain, "");
    for (const other of others)
      printSpent(other, `${compare(other, plain, "ms")} time, ${compare(other, plain, "busyTicks")} processor time`);
  } finally {
    for (const contender of [plain, ...others]) await close(contender);
    await Promise.all([hanging.stop(), garbage.stop()]);
  }
};
