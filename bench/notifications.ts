import { createServer, type Socket } from "node:net";
import { formatMs, median, printFigure, startServer, submitBatch, waitUntilIdle } from "./harness.ts";

type Service = Readonly<{ url: string; stop: () => Promise<void> }>;

const JOBS = 60;
const ROUNDS = 7;
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

const timeJobs = async (url: string, fields: Readonly<Record<string, unknown>>): Promise<number> => {
  await waitUntilIdle(url);
  const startedAt = performance.now();
  await submitBatch(url, JOBS, { num_gpus: 0, ...fields });
  await waitUntilIdle(url);
  return performance.now() - startedAt;
};

const compare = async (name: string, serviceUrl: string): Promise<void> => {
  const settings = { NS_MAX_CPU_JOBS: "16", NS_NULLPOINTER_URL: serviceUrl, NS_TWILIO_URL: serviceUrl };
  const server = await startServer(settings, configureChannels(serviceUrl));
  try {
    await timeJobs(server.url, {});
    const [plain, told]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const inTurn = [
        async () => plain.push(await timeJobs(server.url, {})),
        async () => told.push(await timeJobs(server.url, notifyAt(serviceUrl))),
      ];
      for (const time of round % 2 === 0 ? inTurn : inTurn.toReversed()) await time();
    }
    const share = (median(told.map((ms, round) => ms / (plain[round] ?? ms))) - 1) * 100;
    const reference = `${share >= 0 ? "+" : ""}${share.toFixed(1)} % (median of the rounds) of ${formatMs(median(plain))} without notifications`;
    printFigure(`${JOBS} jobs of true, every service ${name}`, formatMs(median(told)), reference);
  } finally {
    await server.stop();
  }
};

/** What services that fail cost the jobs that are told of by every channel there is. */
export const benchNotifications = async (): Promise<void> => {
  await compare("down", CLOSED);
  const hanging = await openHanging();
  await compare("hanging", hanging.url).finally(hanging.stop);
  const garbage = openGarbage();
  await compare("answering garbage", garbage.url).finally(garbage.stop);
};
