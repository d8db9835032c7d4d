import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireJob } from "../src/wire/job.ts";
import { pickPort } from "../tests/support/pick-port.ts";

/** `end` ends it, though it be stopped by a signal, and leaves its folder, which `stop` removes. */
export type BenchServer = Readonly<{
  url: string;
  dir: string;
  pid: number;
  env: NodeJS.ProcessEnv;
  startedInMs: number;
  end: () => Promise<void>;
  stop: () => Promise<void>;
}>;

const ROOT = join(import.meta.dirname, "..");
export const BUN: string = process.execPath;
export const NX: string = join(ROOT, "nx");

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), "nexus-bench-"));

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/v1/health`)).ok;
  } catch {
    return false;
  }
};

const waitForExit = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

export const startServer = async (
  settings: Readonly<Record<string, string>> = {},
  configuration = "",
): Promise<BenchServer> => {
  const dir = makeFolder();
  mkdirSync(join(dir, "server"), { mode: 0o700 });
  writeFileSync(join(dir, "server", "config.toml"), configuration);
  const port = await pickPort();
  const env = {
    ...process.env,
    HOME: dir,
    NS_SERVER_DIR: join(dir, "server"),
    NS_PORT: String(port),
    NS_MOCK_GPUS: "2",
    NS_MIN_FREE_GB: "0",
    NS_MAX_QUEUED: "1000000",
    NS_MAX_QUEUED_IN_ALL: "1000000",
    ...settings,
  };
  const startedAt = performance.now();
  const child = spawn(BUN, [join(ROOT, "src", "server", "main.ts")], { env, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) await Bun.sleep(2);
  const startedInMs = performance.now() - startedAt;
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    child.kill("SIGCONT");
    await waitForExit(child);
  };
  const stop = async (): Promise<void> => {
    await end();
    rmSync(dir, { recursive: true, force: true });
  };
  return { url, dir: env.NS_SERVER_DIR, pid: child.pid ?? 0, env, startedInMs, end, stop };
};

export const submit = async (url: string, fields: Readonly<Record<string, unknown>>): Promise<WireJob> => {
  const body = JSON.stringify({ user: "bench", command: "true", ...fields });
  const response = await fetch(`${url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()) as WireJob;
};

export const submitBatch = async (
  url: string,
  count: number,
  fields: Readonly<Record<string, unknown>>,
): Promise<readonly WireJob[]> => {
  const body = JSON.stringify(Array.from({ length: count }, () => ({ user: "bench", command: "true", ...fields })));
  const response = await fetch(`${url}/v1/jobs/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()) as readonly WireJob[];
};

export const waitUntilIdle = async (url: string): Promise<void> => {
  for (;;) {
    const status = (await (await fetch(`${url}/v1/server/status`)).json()) as {
      queued_jobs: number;
      running_jobs: number;
    };
    if (status.queued_jobs + status.running_jobs === 0) return;
    await Bun.sleep(5);
  }
};

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const measure = async (rounds: number, act: () => Promise<unknown> | unknown): Promise<readonly number[]> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await act();
    times.push(performance.now() - startedAt);
  }
  return times;
};

type Run = Readonly<{ ms: number; cpuMs: number }>;
type Surroundings = Readonly<{ env: NodeJS.ProcessEnv; cwd?: string }>;

const runToEnd = (argv: readonly string[], surroundings: Surroundings): Run => {
  const startedAt = performance.now();
  const ended = Bun.spawnSync([...argv], { ...surroundings, stdout: "ignore", stderr: "pipe" });
  const ms = performance.now() - startedAt;
  if (ended.exitCode !== 0)
    throw new Error(`${argv.join(" ")} ended with ${ended.exitCode}: ${ended.stderr.toString()}`);
  return { ms, cpuMs: Number(ended.resourceUsage.cpuTime.total) / 1000 };
};

/**
 * How long each program takes from its start to its end, and what it and those that it waited for had of the processors (`cpuMs`), all in
 * turn: what slows the machine slows each.
 */
export const timeInTurn = (
  argvs: readonly (readonly string[])[],
  surroundings: Surroundings,
  rounds: number,
): readonly (readonly Run[])[] => {
  const runs: Run[][] = argvs.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, argv] of argvs.entries()) runs[index]?.push(runToEnd(argv, surroundings));
  return runs;
};

export const printFigure = (what: string, value: string, reference = ""): void => {
  process.stdout.write(`${what.padEnd(46)} ${value.padStart(20)}   ${reference}\n`);
};

export const formatMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;

export const formatRatio = (value: number, reference: number, name: string): string =>
  `${(value / reference).toFixed(2)} × ${name} (${formatMs(reference)})`;

export const readResidentMib = async (pid: number, field: "VmRSS" | "VmHWM"): Promise<number> => {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024;
};

/** Ticks of 10 ms that the machine's processors were busy since it started. */
export const readBusyTicks = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)
    .flatMap((line) => line.split(/\s+/).slice(1).map(Number));
  return user + nice + system + irq + softirq;
};
