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
  serviceUrl: string;
  fields: Readonly<Record<string, unknown>>;
  spent: Spent[];
}>;

const JOBS = 60;
const SERIES = 5;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 13;
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

const startStopped = async ({ serviceUrl }: Contender): Promise<BenchServer> => {
  const settings = { NS_MAX_CPU_JOBS: "16", NS_CPUS: "64", NS_NULLPOINTER_URL: serviceUrl, NS_TWILIO_URL: serviceUrl };
  const server = await startServer(settings, configureChannels(serviceUrl));
  process.kill(server.pid, "SIGSTOP");
  return server;
};

const timeJobs = async ({ url, pid }: BenchServer, { fields }: Contender): Promise<Spent> => {
  process.kill(pid, "SIGCONT");
  await waitUntilIdle(url);
  const [startedAt, busyBefore] = [performance.now(), readBusyTicks()];
  await submitBatch(url, JOBS, { num_gpus: 0, ...fields });
  await waitUntilIdle(url);
  const spent = { ms: performance.now() - startedAt, busyTicks: readBusyTicks() - busyBefore };
  process.kill(pid, "SIGSTOP");
  return spent;
};

const listInTurn = <Entry>(entries: readonly Entry[], round: number): readonly Entry[] => {
  const first = Math.abs(round) % entries.length;
  const inTurn = [...entries.slice(first), ...entries.slice(0, first)];
  return round % 2 === 0 ? inTurn : inTurn.toReversed();
};

const runSeries = async (contenders: readonly Contender[], used: BenchServer[]): Promise<void> => {
  const entries: (readonly [BenchServer, Contender])[] = [];
  for (const contender of contenders) {
    const server = await startStopped(contender);
    used.push(server);
    entries.push([server, contender]);
  }
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [server, contender] of listInTurn(entries, round)) {
      const spent = await timeJobs(server, contender);
      if (round >= 0) contender.spent.push(spent);
    }
  }
  for (const [{ end }] of entries) await end();
};

const formatShare = (ratio: number): string => `${ratio >= 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;

const compare = ({ spent }: Contender, plain: Contender, field: keyof Spent): string =>
  formatShare(median(spent.map((turn, round) => turn[field] / (plain.spent[round]?.[field] ?? Number.NaN))));

const printSpent = (contender: Contender, reference: string): void => {
  const ms = median(contender.spent.map((turn) => turn.ms));
  printFigure(`${JOBS} jobs of true, ${contender.name}`, formatMs(ms), reference);
};

/**
 * What services that fail cost the jobs that are told of by every channel there is. Each contender has servers of its
 * own, stopped between its turns, so that what is left to send is sent in them. The second of the plain ones shows the noise.
 */
export const benchNotifications = async (): Promise<void> => {
  const [hanging, garbage] = [await openHanging(), openGarbage()];
  const tell = (name: string, serviceUrl: string): Contender => {
    return { name: `services ${name}`, serviceUrl, fields: notifyAt(serviceUrl), spent: [] };
  };
  const plain: Contender = { name: "without notifications", serviceUrl: CLOSED, fields: {}, spent: [] };
  const others = [
    { ...plain, name: `${plain.name} again`, spent: [] },
    tell("down", CLOSED),
    tell("hanging", hanging.url),
    tell("answering garbage", garbage.url),
  ];
  const used: BenchServer[] = [];
  try {
    for (let series = 0; series < SERIES; series++) await runSeries([plain, ...others], used);
    printSpent(plain, "");
    for (const other of others)
      printSpent(other, `${compare(other, plain, "ms")} time, ${compare(other, plain, "busyTicks")} processor time`);
  } finally {
    for (const { stop } of used) await stop();
    await Promise.all([hanging.stop(), garbage.stop()]);
  }
};
