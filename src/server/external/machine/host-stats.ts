import { stat, statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { GpuHealth, Health } from "../../../wire/node.ts";
import type { Clock } from "../../core/clock.ts";
import type { HostStats } from "../../core/machine/host.ts";
import { cacheFigures, type ReadFigures } from "./cached-figures.ts";

type CpuTimes = Readonly<{ idle: number; total: number }>;

const DISK_MAX_AGE_S = 30 * 60;
const NETWORK_MAX_AGE_S = 60 * 60;
const NETWORK_MIN_AGE_S = 60;
const SYSTEM_MAX_AGE_S = 60;
const ANSWER_WITHIN_MS = 1500;
const CPU_SAMPLE_MS = 100;

type Disk = NonNullable<Health["disk"]>;
type Place = NonNullable<Disk["place"]>;

const readDisk = async (path: string, place: Place): Promise<Disk> => {
  const { blocks, bavail, bfree, bsize } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  const percentUsed = used + free === 0 ? 0 : (used / (used + free)) * 100;
  return { total: blocks * bsize, used, free, percent_used: percentUsed, place };
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
  await pause(CPU_SAMPLE_MS);
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

const readFullerDisk = async (serverDir: string, root: string): Promise<Disk> => {
  const [own, top] = await Promise.all([stat(serverDir), stat(root)]);
  const readOwn = readDisk(serverDir, "server_dir");
  const disks = await Promise.all(own.dev === top.dev ? [readOwn] : [readOwn, readDisk(root, "/")]);
  return disks.reduce((fullest, disk) => (disk.percent_used > fullest.percent_used ? disk : fullest));
};

type Sources = Readonly<{
  serverDir: string;
  clock: Clock;
  root?: string;
  measureNetwork?: () => Promise<Health["network"]>;
  readGpus?: () => Promise<readonly GpuHealth[]>;
  listWarnings?: () => readonly string[];
}>;

const createReaders = ({
  serverDir,
  clock,
  root = "/",
  measureNetwork,
  readGpus,
  listWarnings = () => [],
}: Sources) => {
  const limits = { clock, answerWithinMs: ANSWER_WITHIN_MS };
  const cache = <Figures>(maxAgeS: number, measure: () => Promise<Figures>): ReadFigures<Figures> =>
    cacheFigures({ ...limits, maxAgeS, measure });
  return {
    disk: cache(DISK_MAX_AGE_S, () => readFullerDisk(serverDir, root)),
    network: cacheFigures({
      ...limits,
      maxAgeS: NETWORK_MAX_AGE_S,
      refreshAfterS: NETWORK_MIN_AGE_S,
      measure: measureNetwork ?? (async () => null),
    }),
    system: cache(SYSTEM_MAX_AGE_S, readSystem),
    warnings: cache(SYSTEM_MAX_AGE_S, async () => listWarnings()),
    gpus: readGpus === undefined ? null : cache(SYSTEM_MAX_AGE_S, readGpus),
  };
};

/**
 * Of the disks of the server's folder and of `root`, the fuller counts. Without `measureNetwork` the network is unknown;
 * it is measured once a minute at most, as anyone may ask.
 */
export const createHostStats = (sources: Sources): HostStats => {
  const readers = createReaders(sources);
  return {
    read: async (refresh) => {
      const [disk, network, system, warnings, gpus] = await Promise.all([
        readers.disk(refresh),
        readers.network(refresh),
        readers.system(refresh),
        readers.warnings(refresh),
        readers.gpus?.(refresh),
      ]);
      const told = warnings === null || warnings.length === 0 ? {} : { warnings: [...warnings] };
      return {
        disk,
        network,
        system,
        ...told,
        ...(gpus === undefined ? {} : { gpus: gpus === null ? null : [...gpus] }),
      };
    },
  };
};
