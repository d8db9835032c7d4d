import type { JobId } from "../core/job.ts";
import type { Meter } from "../core/meter.ts";
import type { Channel } from "../core/plan-notices.ts";
import type {
  Clock,
  Environment,
  Executor,
  GpuProbe,
  JobDirectory,
  Log,
  LogFile,
  OnStep,
  Store,
} from "../core/ports.ts";

/** `uptime`: seconds on a clock that nobody sets. */
export type SchedulerContext = Readonly<{
  store: Store;
  executor: Executor;
  gpus: GpuProbe;
  jobDirectory: JobDirectory;
  logs: Pick<LogFile, "readTail">;
  clock: Clock;
  uptime: Clock;
  log: Log;
  meter: Meter;
  serverEnvironment: Environment;
  channels: readonly Channel[];
  wakeOutbox: () => void;
  onStep?: OnStep | undefined;
  settings: Readonly<{ refreshRate: number; maxCpuJobs: number; maxPassedOver: number; nodeName: string }>;
}>;

/** What the scheduler knows beyond the store: lost with the process, rebuilt by the next one. `killedSince` is on the clock of `uptime`. */
export type SchedulerMemory = Readonly<{
  killedSince: Map<JobId, number>;
  watches: Map<JobId, () => void>;
  launching: Set<JobId>;
}>;

export const createMemory = (): SchedulerMemory => ({
  killedSince: new Map(),
  watches: new Map(),
  launching: new Set(),
});
