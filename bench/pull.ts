import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BenchServer, BUN, printFigure, readResidentMib, startServer, submit, waitUntilIdle } from "./harness.ts";

const MB = 1_000_000;
const SIZE_MB = Number(process.env["BENCH_PULL_MB"] ?? 2000);
const LOOK_MS = 20;
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
        peakMib = mib;
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
  const command = `head -c ${SIZE_MB * MB} /dev/zero > "$NEXUS_OUTPUT_DIR/large"`;
  const job = await submit(url, { num_gpus: 0, command });
  await waitUntilIdle(url);
  return join(dir, "jobs", job.id, "outputs");
};

const copyByTar = (from: string, server: BenchServer): Promise<Ran> => {
  const to = join(server.dir, "by-tar");
  mkdirSync(to);
  return runToEnd(["sh", "-c", `cd '${from}' && tar -c large | cat | tar -x -C '${to}'`], server);
};

export const benchPull = async (): Promise<void> => {
  const server = await startServer();
  try {
    const from = await makeFile(server);
    const id = from.split("/").at(-2) ?? "";
    const idle = await readResidentMib(server.pid, "VmRSS");
    const tar = await copyByTar(from, server);
    const pulled = await runToEnd([BUN, CLIENT, "pull", id, "-o", join(server.dir, "pulled")], server);
    const peak = await readResidentMib(server.pid, "VmHWM");
    printFigure(`nx pull of ${SIZE_MB / 1000} GB`, formatSpeed(pulled), `tar | cat | tar: ${formatSpeed(tar)}`);
    printFigure("  peak of the client", `${pulled.peakMib.toFixed(0)} MiB`);
    printFigure("  peak of the server", `${peak.toFixed(0)} MiB`, `${(peak - idle).toFixed(0)} MiB more than before`);
  } finally {
    await server.stop();
  }
};
