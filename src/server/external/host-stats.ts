import { statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Health } from "../../shared/node.ts";
import type { Clock, HostStats } from "../core/ports.ts";
import { cacheFigures } from "./cached-figures.ts";

type CpuTimes = Readonly<{ idle: number; total: number }>;

const DISK_MAX_AGE_S = 30 * 60;
const SYSTEM_MAX_AGE_S = 60;
const ANSWER_WITHIN_MS = 1500;
const CPU_SAMPLE_MS = 100;

const readDisk = async (path: string): Promise<NonNullable<Health["disk"]>> => {
  const { blocks, bavail, bfree, bsize } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  return { total: blocks * bsize, used, free, percent_used: used + free === 0 ? 0 : (used / (used + free)) * 100 };
};

const sumCpuTimes = (): CpuTimes =>
  cpus().reduce(
    (sum, { times }) => ({
      idle: sum.idle + times.idle,
      total: sum.total + times.user + times.nice + times.sys + times.idle + times.irq,
    }),
    { idle: 0, total: 0 },
  );

const measureCpuPercent = async (): Promise<number> => {
  const before = sumCpuTimes();
  await wait(CPU_SAMPLE_MS);
  const after = sumCpuTimes();
  const total = after.total - before.total;
  const busy = total - (after.idle - before.idle);
  return total > 0 ? Math.min(100, Math.max(0, (busy / total) * 100)) : 0;
};

const readSystem = async (): Promise<NonNullable<Health["system"]>> => ({
  cpu_percent: await measureCpuPercent(),
  memory_percent: (1 - freemem() / totalmem()) * 100,
  uptime: uptime(),
  load_avg: loadavg(),
});

/** The network is not measured: no address is called that the owner of the machine did not name. */
export const createHostStats = ({ serverDir, clock }: Readonly<{ serverDir: string; clock: Clock }>): HostStats => {
  const limits = { clock, answerWithinMs: ANSWER_WITHIN_MS };
  const readDiskFigures = cacheFigures({ ...limits, measure: () => readDisk(serverDir), maxAgeS: DISK_MAX_AGE_S });
  const readSystemFigures = cacheFigures({ ...limits, measure: readSystem, maxAgeS: SYSTEM_MAX_AGE_S });
  return {
    read: async (refresh) => {
      const [disk, system] = await Promise.all([readDiskFigures(refresh), readSystemFigures(refresh)]);
      return { disk, network: null, system };
    },
  };
};
