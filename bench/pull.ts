import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type BenchServer, BUN, printFigure, readResidentMib, startServer, submit, waitUntilIdle } from "./harness.ts";

const MB = 1_000_000;
const SIZE_MB = Number(process.env["BENCH_PULL_MB"] ?? 2000);
const LOOK_MS = 20;
const ROUNDS = 3;
const CLIENT = join(import.meta.dirname, "..", "src", "cli", "main.ts");

type Ran = Readonly<{ seconds: number; peakMib: number }>;

const runToEnd = async (argv: readonly string[], { env, dir }: BenchServer): Promise<Ran> => {
  const startedAt = performance.now();
  const child = spawn(argv[0] ?? "", argv.slice(1), { env, cwd: dir, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  let peakMib = 0;
  const look = setInterval(() => {
    void readResidentMib(child.pid ?? 0, "VmHWM").then(
      (mib) => {
        if (mib > peakMib) peakMib = mib;
      },
      () => undefined,
    );
  }, LOOK_MS);
  const [exitCode] = await ended;
  clearInterval(look);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakMib };
};

const formatSpeed = ({ seconds }: Ran): string => `${(SIZE_MB / seconds).toFixed(0)} MB/s`;

const makeFile = async ({ url, dir }: BenchServer): Promise<string> => {
  const command = `head -c ${SIZE_MB * MB} /dev/urandom > "$NEXUS_OUTPUT_DIR/large"`;
  const job = await submit(url, { num_gpus: 0, command });
  await waitUntilIdle(url);
  return join(dir, "jobs", job.id, "outputs");
};

type Copied = Readonly<{ plain: Ran; durable: Ran }>;

const copyByTar = async (from: string, server: BenchServer): Promise<Copied> => {
  const to = join(server.dir, "by-tar");
  mkdirSync(to);
  const plain = await runToEnd(["sh", "-c", `cd '${from}' && tar -c large | cat | tar -x -C '${to}'`], server);
  const flushed = await runToEnd(["sync", "-f", to], server);
  rmSync(to, { recursive: true });
  return { plain, durable: { ...plain, seconds: plain.seconds + flushed.seconds } };
};

const pullOnce = async (id: string, server: BenchServer): Promise<Ran> => {
  const to = join(server.dir, "pulled");
  const pulled = await runToEnd([BUN, CLIENT, "pull", id, "-o", to], server);
  rmSync(to, { recursive: true });
  return pulled;
};

const compareSpeed = (pulled: Ran, other: Ran, name: string): string =>
  `${(other.seconds / pulled.seconds).toFixed(2)} × ${name} (${formatSpeed(other)})`;

const runRound = async (from: string, server: BenchServer): Promise<Ran> => {
  await runToEnd(["sync", "-f", server.dir], server);
  const tar = await copyByTar(from, server);
  await runToEnd(["sync", "-f", server.dir], server);
  const pulled = await pullOnce(basename(dirname(from)), server);
  printFigure(
    `nx pull of ${SIZE_MB / 1000} GB, on the disk`,
    formatSpeed(pulled),
    `${compareSpeed(pulled, tar.durable, "tar | cat | tar and sync -f")}; ${compareSpeed(pulled, tar.plain, "without sync")}`,
  );
  return pulled;
};

/** Copies are made and removed in turn, from a disk that has nothing left to write, so that none pays for another. */
export const benchPull = async (): Promise<void> => {
  const server = await startServer();
  try {
    const from = await makeFile(server);
    const idle = await readResidentMib(server.pid, "VmRSS");
    const rounds: Ran[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await runRound(from, server));
    const peak = await readResidentMib(server.pid, "VmHWM");
    printFigure("  peak of the client", `${Math.max(...rounds.map(({ peakMib }) => peakMib)).toFixed(0)} MiB`);
    printFigure("  peak of the server", `${peak.toFixed(0)} MiB`, `${(peak - idle).toFixed(0)} MiB more than before`);
  } finally {
    await server.stop();
  }
};
