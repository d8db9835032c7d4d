import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  formatMs,
  formatRatio,
  makeFolder,
  median,
  printFigure,
  startServer,
  submit,
  submitBatch,
  waitUntilIdle,
} from "./harness.ts";

const ROUNDS = 20;

const readStamp = async (path: string): Promise<number> => {
  for (;;) {
    try {
      const text = readFileSync(path, "utf8");
      if (text.endsWith("\n")) return Number(text) * 1000;
    } catch {
      await Bun.sleep(1);
    }
  }
};

const timeFirstAct = async (start: (stamp: string) => unknown, folder: string): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const stamp = join(folder, `stamp-${round}`);
    const startedAt = Date.now();
    await start(stamp);
    times.push((await readStamp(stamp)) - startedAt);
    rmSync(stamp);
    await Bun.sleep(100);
  }
  return median(times);
};

const writeStamp = (path: string): string => `echo $EPOCHREALTIME > ${path}`;

export const benchLaunch = async (): Promise<void> => {
  const folder = makeFolder();
  const server = await startServer({ NS_MAX_CPU_JOBS: "16", NS_CPUS: "64" });
  try {
    const screen = await timeFirstAct(
      (stamp) => Bun.spawn(["screen", "-dmS", "nexus-bench", "bash", "-c", writeStamp(stamp)]),
      folder,
    );
    const cpu = await timeFirstAct((stamp) => submit(server.url, { command: writeStamp(stamp), num_gpus: 0 }), folder);
    const gpu = await timeFirstAct((stamp) => submit(server.url, { command: writeStamp(stamp) }), folder);
    printFigure("submit → first instruction, CPU job", formatMs(cpu), formatRatio(cpu, screen, "bare screen -dmS"));
    printFigure("submit → first instruction, GPU job", formatMs(gpu), formatRatio(gpu, screen, "bare screen -dmS"));
    await benchMany(server.url, 40);
    await benchMany(server.url, 100);
    await benchSleepers(server.url);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

const benchMany = async (url: string, count: number): Promise<void> => {
  await waitUntilIdle(url);
  const startedAt = performance.now();
  await submitBatch(url, count, { num_gpus: 0 });
  await waitUntilIdle(url);
  const time = performance.now() - startedAt;
  printFigure(`${count} jobs of true, 16 at a time`, formatMs(time), `${(time / count).toFixed(1)} ms a job`);
};

const benchSleepers = async (url: string): Promise<void> => {
  const startedAt = performance.now();
  await submitBatch(url, 20, { command: "sleep 1" });
  await waitUntilIdle(url);
  printFigure(
    "20 jobs of one second on two GPUs",
    formatMs(performance.now() - startedAt),
    "10 000 ms is the least possible",
  );
};
