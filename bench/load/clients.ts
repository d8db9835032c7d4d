import { connect } from "node:net";
import type { Tally } from "./tally.ts";

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

export type Crew = Readonly<{ stop: () => Promise<void> }>;

const STALL_MS = 10_000;

const createCall =
  (url: string, tally: Tally): Call =>
  async (method, path, body) => {
    const startedAt = performance.now();
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        keepalive: false,
        signal: AbortSignal.timeout(STALL_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      const text = await response.text();
      tally.add(response.status, performance.now() - startedAt);
      return text === "" ? null : JSON.parse(text);
    } catch {
      tally.add("cut", performance.now() - startedAt);
      return null;
    }
  };

const readId = (job: unknown): string | null =>
  typeof job === "object" && job !== null && "id" in job ? String(job.id) : null;

const useServer = async (call: Call, index: number, talker: string): Promise<void> => {
  const job = { command: `python train.py --client ${index}`, user: `user${index}`, gpu_idxs: [0] };
  const id = readId(await call("POST", "/v1/jobs", job));
  await call("GET", "/v1/jobs?limit=50");
  await call("GET", `/v1/jobs?command_regex=client%20${index}$&limit=5`);
  await call("GET", `/v1/jobs/${talker}/logs?last_n_lines=20`);
  await call("GET", "/v1/server/status");
  if (id === null) return;
  await call("GET", `/v1/jobs/${id}`);
  await call("DELETE", `/v1/jobs/${id}`);
};

/** Clients that submit, list, read and remove, each one thing after the other with a pause after each round. */
export const startClients = (
  plan: Readonly<{ url: string; count: number; thinkMs: number; talker: string }>,
  tally: Tally,
): Crew => {
  let isOver = false;
  const call = createCall(plan.url, tally);
  const work = async (index: number): Promise<void> => {
    while (!isOver) {
      await useServer(call, index, plan.talker);
      await Bun.sleep(plan.thinkMs);
    }
  };
  const crew = Array.from({ length: plan.count }, (_, index) => work(index));
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(crew);
    },
  };
};

const ask = (url: URL, text: string): Promise<number | "cut"> => {
  const { promise, resolve } = Promise.withResolvers<number | "cut">();
  const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
  socket.setTimeout(STALL_MS, () => socket.destroy());
  socket.on("data", (data) => {
    resolve(Number(data.toString("latin1").slice(9, 12)));
    socket.destroy();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => resolve("cut"));
  return promise;
};

const JSON_POST = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

const nag = async (url: URL, talker: string, extraFollowers: number, tally: Tally): Promise<void> => {
  const follow = `GET /v1/jobs/${talker}/logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const texts = [
    ...Array.from({ length: extraFollowers }, () => follow),
    `${JSON_POST}Content-Length: 90000000\r\n\r\n`,
    `${JSON_POST}X: ${"x".repeat(20_000)}\r\n\r\n`,
    "GET /v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n",
  ];
  const ask1 = async (text: string): Promise<void> => {
    const startedAt = performance.now();
    tally.add(await ask(url, text), performance.now() - startedAt);
  };
  await Promise.all(texts.map(ask1));
};

/** Asks, again and again, for more than the server gives. */
export const startNaggers = (
  plan: Readonly<{ url: string; talker: string; extraFollowers: number; everyMs: number }>,
  tally: Tally,
): Crew => {
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver) {
      await nag(new URL(plan.url), plan.talker, plan.extraFollowers, tally);
      await Bun.sleep(plan.everyMs);
    }
  };
  const working = work();
  return {
    stop: async () => {
      isOver = true;
      await working;
    },
  };
};
