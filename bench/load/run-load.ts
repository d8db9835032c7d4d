import { type BenchServer, startServer, submit } from "../harness.ts";
import { startClients, startNaggers } from "./clients.ts";
import { type Manner, renderTalker, startFollowers } from "./followers.ts";
import { readBound, readUse, type Use } from "./server-figures.ts";
import { createTally, type Tally } from "./tally.ts";

export type LoadPlan = Readonly<{
  seconds: number;
  clients: number;
  thinkMs: number;
  followers: Readonly<Record<Manner, number>>;
  sampleMs: number;
  onSample?: (use: Use, secondsGone: number) => void;
}>;

/** Lags and ticks in milliseconds. */
export type LoadReport = Readonly<{
  requests: Tally;
  limits: Tally;
  lag: Tally;
  starts: Tally;
  cutFollowers: number;
  before: Use;
  after: Use;
  settledInMs: number;
  samples: readonly Use[];
  tickP99: number;
  loopLagP99: number;
}>;

type Settled = Pick<LoadReport, "after" | "settledInMs">;

const SPARE_FOLLOWERS = 4;
const NAG_MS = 1000;
const SETTLE_MS = 60_000;
const SPARE_MIB = 12;

const startTalker = async (server: BenchServer): Promise<string> => {
  const { id } = await submit(server.url, { command: renderTalker(2000), num_gpus: 0 });
  const isTalking = async (): Promise<boolean> => {
    const { data } = (await (await fetch(`${server.url}/v1/jobs/${id}/logs?last_n_lines=1`)).json()) as {
      data: string;
    };
    return /^T\d{13} /.test(data);
  };
  while (!(await isTalking())) await Bun.sleep(20);
  return id;
};

const kill = async (url: string, id: string): Promise<void> => {
  await fetch(`${url}/v1/jobs/${id}/kill`, { method: "POST" });
  for (;;) {
    const { status } = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as { status: string };
    if (status !== "running") return;
    await Bun.sleep(50);
  }
};

const measureStart = async (url: string, starts: Tally): Promise<void> => {
  const { id } = await submit(url, { command: "true", num_gpus: 0 });
  const startedAt = performance.now();
  for (;;) {
    const { status } = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as { status: string };
    if (status === "completed") return starts.add(200, performance.now() - startedAt);
    if (status === "failed") return starts.add("cut", performance.now() - startedAt);
    await Bun.sleep(20);
  }
};

const watch = async (server: BenchServer, plan: LoadPlan, starts: Tally): Promise<readonly Use[]> => {
  const samples: Use[] = [];
  const startedAt = performance.now();
  const countGone = (): number => (performance.now() - startedAt) / 1000;
  let next = plan.sampleMs / 1000;
  while (countGone() < plan.seconds) {
    await Promise.all([measureStart(server.url, starts), Bun.sleep(500)]);
    if (countGone() < next) continue;
    next += plan.sampleMs / 1000;
    const use = readUse(server.pid);
    samples.push(use);
    plan.onSample?.(use, countGone());
  }
  return samples;
};

const hasSettled = (now: Use, before: Use): boolean =>
  now.descriptors <= before.descriptors && now.rssMib <= before.rssMib + SPARE_MIB;

const settle = async (server: BenchServer, before: Use): Promise<Settled> => {
  const startedAt = performance.now();
  while (!hasSettled(readUse(server.pid), before) && performance.now() < startedAt + SETTLE_MS) await Bun.sleep(50);
  return { after: readUse(server.pid), settledInMs: performance.now() - startedAt };
};

const warmUp = async (server: BenchServer, talker: string): Promise<void> => {
  const stream = await fetch(`${server.url}/v1/jobs/${talker}/logs/stream?last_n_lines=1`);
  await stream.body?.cancel();
  for (let round = 0; round < 20; round++) await (await fetch(`${server.url}/v1/jobs?command_regex=x`)).text();
  await (await fetch(`${server.url}/v1/health?detailed=true`)).text();
};

const loadServer = async (server: BenchServer, plan: LoadPlan): Promise<LoadReport> => {
  const [requests, limits, lag, starts] = [createTally(), createTally(), createTally(), createTally()];
  const blocker = await submit(server.url, { command: "sleep 100000", gpu_idxs: [0] });
  const talker = await startTalker(server);
  await warmUp(server, talker);
  const before = readUse(server.pid);
  const followers = startFollowers(server.url, talker, plan.followers, lag);
  await Bun.sleep(500);
  const naggers = startNaggers(
    { url: server.url, talker, extraFollowers: SPARE_FOLLOWERS * 3, everyMs: NAG_MS },
    limits,
  );
  const clients = startClients({ url: server.url, count: plan.clients, thinkMs: plan.thinkMs, talker }, requests);
  const samples = await watch(server, plan, starts);
  await Promise.all([clients.stop(), naggers.stop()]);
  const cutFollowers = followers.countCut();
  followers.close();
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  await Promise.all([kill(server.url, talker), kill(server.url, blocker.id)]);
  const settled = await settle(server, before);
  const tickP99 = readBound(metrics, "nexus_task_duration_seconds", 0.99);
  const loopLagP99 = readBound(metrics, "nexus_event_loop_lag_seconds", 0.99);
  return { requests, limits, lag, starts, cutFollowers, before, ...settled, samples, tickP99, loopLagP99 };
};

/** Loads a server of its own, with room for a few followers more than there are, and tells how it did. */
export const runLoad = async (plan: LoadPlan): Promise<LoadReport> => {
  const { reading, slow, never } = plan.followers;
  const room = String(reading + slow + never + SPARE_FOLLOWERS);
  const server = await startServer({
    NS_MAX_FOLLOWERS: room,
    NS_MAX_FOLLOWERS_PER_ADDRESS: room,
    NS_REFRESH_RATE: "1",
    NS_MAX_CPU_JOBS: "8",
    NS_CPUS: "64",
  });
  try {
    return await loadServer(server, plan);
  } finally {
    await server.stop();
  }
};
