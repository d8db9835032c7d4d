import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  formatMs,
  makeFolder,
  measure,
  median,
  percentile,
  printFigure,
  readResidentMib,
  startServer,
  submit,
} from "./harness.ts";

const SECONDS = 3;

const timeFsync = async (): Promise<number> => {
  const folder = makeFolder();
  const db = new Database(join(folder, "fsync.db"));
  db.exec("pragma journal_mode = wal; pragma synchronous = full; create table t (x)");
  const insert = db.query("insert into t values (1)");
  const times = await measure(200, () => insert.run());
  db.close();
  rmSync(folder, { recursive: true });
  return median(times);
};

const runClients = async (url: string, clients: number): Promise<readonly number[]> => {
  const until = performance.now() + SECONDS * 1000;
  const times: number[] = [];
  const runClient = async (): Promise<void> => {
    while (performance.now() < until) {
      const startedAt = performance.now();
      await submit(url, { num_gpus: 0 });
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, runClient));
  return times;
};

export const benchSubmissions = async (): Promise<void> => {
  const fsync = await timeFsync();
  printFigure("one insert with fsync, same settings", formatMs(fsync), `${Math.round(1000 / fsync)} a second`);
  for (const clients of [1, 8, 64]) {
    const server = await startServer({ NS_MAX_CPU_JOBS: "0" });
    try {
      const times = await runClients(server.url, clients);
      const rate = times.length / SECONDS;
      const against = `p99 ${formatMs(percentile(times, 0.99))}, ${((rate * fsync) / 1000).toFixed(2)} × one writer's fsyncs`;
      printFigure(`submissions a second, ${clients} clients`, rate.toFixed(0), against);
      if (clients === 64)
        printFigure("server memory after them", `${(await readResidentMib(server.pid, "VmHWM")).toFixed(0)} MiB peak`);
    } finally {
      await server.stop();
    }
  }
};
