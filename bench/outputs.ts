import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../src/wire/job.ts";
import { type BenchServer, formatMs, formatRatio, makeFolder, printFigure, startServer, submit } from "./harness.ts";

const COUNTS = [10, 100_000];
const POLL_MS = 2;
const TAR_MB = 2000;

const makeFiles = (count: number): string => `mkdir many && cd many && seq 1 ${count} | xargs touch`;

const timeMove = (count: number): number => {
  const folder = makeFolder();
  try {
    spawnSync("bash", ["-c", makeFiles(count)], { cwd: folder });
    mkdirSync(join(folder, "kept"));
    const startedAt = performance.now();
    spawnSync("find", ["many", "-type", "f", "-exec", "mv", "-t", "kept", "{}", "+"], { cwd: folder });
    return performance.now() - startedAt;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const readJob = async (url: string, id: string): Promise<WireJob> =>
  (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as WireJob;

const isDone = ({ completed_at, outputs }: WireJob): boolean => completed_at !== null && outputs.state !== "moving";

type Kept = Readonly<{ endMs: number; keptMs: number; longestMs: number }>;

const timeEnd = async ({ url, dir }: BenchServer, count: number): Promise<Kept> => {
  const { id } = await submit(url, { command: makeFiles(count), num_gpus: 0 });
  const exitCode = join(dir, "jobs", id, "exit_code");
  while (!existsSync(exitCode)) await Bun.sleep(1);
  const exitedAt = performance.now();
  let [endMs, longestMs] = [0, 0];
  for (;;) {
    const askedAt = performance.now();
    const job = await readJob(url, id);
    longestMs = Math.max(longestMs, performance.now() - askedAt);
    if (endMs === 0 && job.completed_at !== null) endMs = performance.now() - exitedAt;
    if (isDone(job)) return { endMs, keptMs: performance.now() - exitedAt, longestMs };
    await Bun.sleep(POLL_MS);
  }
};

const timeDownload = async ({ url, dir }: BenchServer): Promise<void> => {
  const command = `head -c ${TAR_MB}000000 /dev/zero > large`;
  const { id } = await submit(url, { command, num_gpus: 0 });
  while (!isDone(await readJob(url, id))) await Bun.sleep(POLL_MS);
  const time = (program: string, words: readonly string[]): number => {
    const startedAt = performance.now();
    spawnSync(program, words, { stdio: "ignore" });
    return performance.now() - startedAt;
  };
  const plain = time("bash", ["-c", `tar -c -C ${join(dir, "jobs", id, "outputs")} . | cat > /dev/null`]);
  for (const [name, path] of [
    ["one file", "files/large"],
    ["all as a tar", "files.tar"],
  ] as const) {
    const ms = time("curl", ["-sS", "-o", "/dev/null", `${url}/v1/jobs/${id}/${path}`]);
    printFigure(
      `download of 2 GB, ${name}`,
      `${Math.round(TAR_MB / (ms / 1000))} MB/s`,
      formatRatio(ms, plain, "tar | cat"),
    );
  }
};

export const benchOutputs = async (): Promise<void> => {
  const server = await startServer();
  try {
    for (const count of COUNTS) {
      const plain = timeMove(count);
      const { endMs, keptMs, longestMs } = await timeEnd(server, count);
      printFigure(
        `end of a job that made ${count} files`,
        formatMs(endMs),
        "its status; the files are moved afterwards",
      );
      printFigure("  until all are kept", formatMs(keptMs), formatRatio(keptMs, plain, "plain mv"));
      printFigure("  longest answer meanwhile", formatMs(longestMs), "GET /v1/jobs/{id}");
    }
    await timeDownload(server);
  } finally {
    await server.stop();
  }
};
