import { appendFileSync } from "node:fs";
import { join } from "node:path";
import {
  formatMs,
  measure,
  median,
  percentile,
  printFigure,
  startServer,
  submit,
  submitBatch,
  waitUntilIdle,
} from "./harness.ts";

const ROUNDS = 50;
const LOG_MIB = 200;

const benchGet = async (what: string, url: string): Promise<void> => {
  const times = await measure(ROUNDS, async () => (await fetch(url)).arrayBuffer());
  printFigure(what, formatMs(median(times)), `worst ${formatMs(percentile(times, 1))}`);
};

const growLog = (path: string): void => {
  const block = `${"x".repeat(99)}\n`.repeat(10_486);
  for (let mib = 0; mib < LOG_MIB; mib++) appendFileSync(path, block);
};

export const benchReading = async (): Promise<void> => {
  const server = await startServer({ NS_MAX_CPU_JOBS: "1" });
  try {
    const job = await submit(server.url, { num_gpus: 0 });
    await waitUntilIdle(server.url);
    growLog(join(server.dir, "jobs", job.id, "output.log"));
    await benchGet("last 100 lines of a 200 MB log", `${server.url}/v1/jobs/${job.id}/logs?last_n_lines=100`);
    await submitBatch(server.url, 10_000, {
      gpu_idxs: [0],
      command: "sleep 60",
      ignore_blacklist: false,
      priority: -1,
    });
    await benchGet("status, 10 000 jobs", `${server.url}/v1/server/status`);
    await benchGet("all 10 000 jobs listed", `${server.url}/v1/jobs?limit=10000`);
    for (let batch = 1; batch < 10; batch++) await submitBatch(server.url, 10_000, { gpu_idxs: [0], priority: -1 });
    await benchGet("status, 100 000 jobs", `${server.url}/v1/server/status`);
    await benchGet("a page of 100 of 100 000 jobs", `${server.url}/v1/jobs?status=queued&limit=100`);
  } finally {
    await server.stop();
  }
};
