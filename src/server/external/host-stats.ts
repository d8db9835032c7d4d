import { statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import type { Health } from "../../shared/node.ts";
import type { Clock, HostStats } from "../core/ports.ts";

type Probe<Figures> = (refresh: boolean) => Promise<Figures | null>;

const DISK_MAX_AGE_S = 30 * 60;
const SYSTEM_MAX_AGE_S = 60;
const ANSWER_WITHIN_MS = 2000;
const CPU_SAMPLE_MS = 100;

const readDisk = async (path: string): Promise<Health["disk"]> => {
  const { blocks, bavail, bfree, bsize } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  return { total: blocks * bsize, used, free, percent_used: used + free === 0 ? 0 : (used / (used + free)) * 100 };
};

const sumCpuTimes = (): Readonly<{ idle: number; total: number }> =>
  cpus().reduce(
    (sum, { times }) => ({
      idle: sum.idle + times.idle,
      total: sum.total + times.user + times.nice + times.sys + times.idle + times.irq,
    }),
    { idle: 0, total: 0 },
  );

const measureCpuPercent = async (): Promise<number> => {
  const before = sumCpuTimes();
  await new Promise((resolve) => setTimeout(resolve, CPU_SAMPLE_MS));
  const after = sumCpuTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : (1 - (after.idle - before.idle) / total) * 100;
};

const readSystem = async (): Promise<Health["system"]> => ({
  cpu_percent: await measureCpuPercent(),
  memory_percent: (1 - freemem() / totalmem()) * 100,
  uptime: uptime(),
  load_avg: loadavg(),
});

const answerWithin = <Figures>(reading: Promise<Figures>, fallback: Figures | null): Promise<Figures | null> => {
  const { promise, resolve } = Promise.withResolvers<Figures | null>();
  const timer = setTimeout(() => resolve(fallback), ANSWER_WITHIN_MS);
  reading.then(resolve, () => resolve(fallback)).finally(() => clearTimeout(timer));
  return promise;
};

const cacheProbe = <Figures>(measure: () => Promise<Figures>, clock: Clock, maxAgeS: number): Probe<Figures> => {
  let last: Readonly<{ at: number; figures: Figures }> | null = null;
  let current: Promise<Figures> | null = null;

  const remember = async (): Promise<Figures> => {
    try {
      const figures = await measure();
      last = { at: clock(), figures };
      return figures;
    } finally {
      current = null;
    }
  };

  return async (refresh) => {
    if (!refresh && last !== null && clock() - last.at < maxAgeS) return last.figures;
    current ??= remember();
    return answerWithin(current, last?.figures ?? null);
  };
};

/** The network is not measured: no address is called that the owner of the machine did not name. */
export const createHostStats = ({ serverDir, clock }: Readonly<{ serverDir: string; clock: Clock }>): HostStats => {
  const probeDisk = cacheProbe(() => readDisk(serverDir), clock, DISK_MAX_AGE_S);
  const probeSystem = cacheProbe(readSystem, clock, SYSTEM_MAX_AGE_S);
  const read: HostStats["read"] = async (refresh) => {
    const [disk, system] = await Promise.all([probeDisk(refresh), probeSystem(refresh)]);
    return { disk, network: null, system };
  };
  return { read };
};
