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

type Contender = Readonly<{ name: string; serviceUrl: string; fields: Readonly<Record<string, unknown>> }>;

type Spent = Readonly<{ ms: number; busyTicks: number }>;

const WARM_UP_JOBS = 60;
const JOBS = 180;
const ROUNDS = 21;
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

const runJobs = async (url: string, count: number, fields: Contender["fields"]): Promise<void> => {
  await submitBatch(url, count, { num_gpus: 0, ...fields });
  await waitUntilIdle(url);
};

const timeRound = async ({ serviceUrl, fields }: Contender, used: BenchServer[]): Promise<Spent> => {
  const settings = { NS_MAX_CPU_JOBS: "16", NS_NULLPOINTER_URL: serviceUrl, NS_TWILIO_URL: serviceUrl };
  const server = await startServer(settings, configureChannels(serviceUrl));
  used.push(server);
  await runJobs(server.url, WARM_UP_JOBS, fields);
  const [startedAt, busyBefore] = [performance.now(), readBusyTicks()];
  await runJobs(server.url, JOBS, fields);
  const spent = { ms: performance.now() - startedAt, busyTicks: readBusyTicks() - busyBefore };
  await server.end();
  return spent;
};

const timeRounds = async (contenders: readonly Contender[], used: BenchServer[]): Promise<readonly Spent[][]> => {
  const spent: Spent[][] = contenders.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const inTurn = [...contenders.entries()];
    for (const [index, contender] of round % 2 === 0 ? inTurn : inTurn.toReversed())
      spent[index]?.push(await timeRound(contender, used));
  }
  return spent;
};

const compare = (spent: readonly Spent[], plain: readonly Spent[], field: keyof Spent): string => {
  const ratios = spent.map((round, index) => round[field] / (plain[index]?.[field] ?? Number.NaN));
  const share = (median(ratios) - 1) * 100;
  return `${share >= 0 ? "+" : ""}${share.toFixed(1)} %`;
};

const printRounds = (name: string, spent: readonly Spent[], plain: readonly Spent[]): void => {
  const reference = `${compare(spent, plain, "ms")} time, ${compare(spent, plain, "busyTicks")} processor time`;
  printFigure(`${JOBS} jobs of true, ${name}`, formatMs(median(spent.map(({ ms }) => ms))), reference);
};

/** What services that fail cost the jobs that are told of by every channel there is, each round on a server of its own. */
export const benchNotifications = async (): Promise<void> => {
  const [hanging, garbage] = [await openHanging(), openGarbage()];
  const toldAt = (name: string, serviceUrl: string): Contender => ({
    name,
    serviceUrl,
    fields: notifyAt(serviceUrl),
  });
  const contenders = [
    { name: "without notifications", serviceUrl: CLOSED, fields: {} },
    toldAt("every service down", CLOSED),
    toldAt("every service hanging", hanging.url),
    toldAt("every service answering garbage", garbage.url),
  ];
  const used: BenchServer[] = [];
  try {
    const spent = await timeRounds(contenders, used);
    for (const [index, { name }] of contenders.entries()) printRounds(name, spent[index] ?? [], spent[0] ?? []);
  } finally {
    for (const server of used) await server.stop();
    await Promise.all([hanging.stop(), garbage.stop()]);
  }
};
