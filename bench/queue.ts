import { readFigure } from "../tests/support/parse-exposition.ts";
import {
  type BenchServer,
  formatMs,
  measure,
  median,
  printFigure,
  startServer,
  submit,
  submitBatch,
} from "./harness.ts";

type Scene = Readonly<{ name: string; busy: readonly number[]; waiting: Readonly<Record<string, unknown>> }>;

const LENGTHS = [10, 10_000, 120_000];
const BATCH = 10_000;
const ROUNDS = 20;
const TICKS_MS = 3000;
const SETTINGS = { NS_REFRESH_RATE: "0.1" };
const SCENES: readonly Scene[] = [
  { name: "full machine", busy: [0, 1], waiting: { num_gpus: 1 } },
  { name: "a GPU free that none can use", busy: [0], waiting: { num_gpus: 2 } },
];

const readTicks = async (url: string): Promise<Readonly<{ seconds: number; count: number }>> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (part: string): number =>
    readFigure(text, `nexus_task_duration_seconds_${part}`, { task: "queued GPU jobs" }) ?? Number.NaN;
  return { seconds: read("sum"), count: read("count") };
};

const timeTick = async (url: string): Promise<number> => {
  const before = await readTicks(url);
  await Bun.sleep(TICKS_MS);
  const after = await readTicks(url);
  return ((after.seconds - before.seconds) * 1000) / (after.count - before.count);
};

const fillQueue = async (url: string, length: number, { waiting }: Scene): Promise<string> => {
  for (let left = length - 1; left > 0; left -= BATCH) await submitBatch(url, Math.min(left, BATCH), waiting);
  return (await submit(url, waiting)).id;
};

const benchScene = async ({ url }: BenchServer, length: number, scene: Scene): Promise<void> => {
  for (const gpu of scene.busy) await submit(url, { gpu_idxs: [gpu], command: "sleep 600" });
  const last = await fillQueue(url, length, scene);
  const show = async (what: string, act: () => Promise<unknown>): Promise<void> =>
    printFigure(`  ${what}`, formatMs(median(await measure(ROUNDS, act))));
  const read = (path: string) => async () => (await fetch(`${url}/v1${path}`)).arrayBuffer();
  printFigure(`${length} queued, ${scene.name}`, "");
  printFigure("  a tick of the GPU queue", formatMs(await timeTick(url)));
  await show("status", read("/server/status"));
  await show("a page of 100", read("/jobs?status=queued&limit=100"));
  await show("a page of 100, each with its reason", read("/jobs?status=queued&limit=100&explain=true"));
  await show("why the last waits", read(`/jobs/${last}/why`));
  await show("a submission", () => submit(url, scene.waiting));
};

const killRunning = async (url: string): Promise<void> => {
  const running = (await (await fetch(`${url}/v1/jobs?status=running`)).json()) as readonly { id: string }[];
  for (const { id } of running) await fetch(`${url}/v1/jobs/${id}/kill`, { method: "POST" });
  while (((await (await fetch(`${url}/v1/server/status`)).json()) as { running_jobs: number }).running_jobs > 0)
    await Bun.sleep(20);
};

export const benchQueue = async (): Promise<void> => {
  for (const scene of SCENES)
    for (const length of LENGTHS) {
      const server = await startServer(SETTINGS);
      try {
        await benchScene(server, length, scene);
        for (const gpu of [0, 1]) await fetch(`${server.url}/v1/gpus/${gpu}/blacklist`, { method: "PUT" });
        await killRunning(server.url);
      } finally {
        await server.stop();
      }
    }
};
