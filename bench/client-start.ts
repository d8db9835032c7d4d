import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BUN,
  formatMs,
  formatRatio,
  makeFolder,
  median,
  NX,
  printFigure,
  startServer,
  submitBatch,
  timeProgram,
} from "./harness.ts";

const ROUNDS = 30;
const QUEUED = 10_000;

export const benchClientStart = async (): Promise<void> => {
  const empty = join(makeFolder(), "empty.ts");
  writeFileSync(empty, "export {};\n");
  const server = await startServer({ NS_MAX_CPU_JOBS: "0" });
  try {
    const reference = median(await timeProgram([BUN, empty], server.env, ROUNDS));
    const run = async (what: string, argv: readonly string[]): Promise<void> => {
      const time = median(await timeProgram(argv, server.env, ROUNDS));
      printFigure(what, formatMs(time), formatRatio(time, reference, "empty Bun program"));
    };
    await run("nx version", [NX, "version"]);
    await run("nx queue, empty", [NX, "queue"]);
    await submitBatch(server.url, QUEUED, { num_gpus: 0 });
    await run("nx queue, 10 000 jobs", [NX, "queue"]);
    const tsp = Bun.which("tsp");
    if (tsp !== null) await run("tsp (task-spooler), its empty list", [tsp]);
    else printFigure("tsp (task-spooler)", "not installed");
  } finally {
    await server.stop();
  }
};
