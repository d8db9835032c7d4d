import type { ChangeContext } from "../changes/context.ts";
import type { BootTime, Clock } from "../core/clock.ts";
import type { SeenUse } from "../core/jobs/gpu-use.ts";
import type { JobId } from "../core/jobs/job.ts";
import type { ReadDiskRoom } from "../core/machine/disk-room.ts";
import type { LaunchTrouble } from "../core/machine/launch-trouble.ts";
import type { HostRules } from "../core/queue/booking/host-part.ts";
import type { Quiet } from "../core/queue/decision/quiet.ts";
import type { GpuProbe } from "../core/queue/gpu.ts";
import type { ReserveRules } from "../core/queue/reservations/reservation.ts";
import type { LimitsOf } from "../core/queue/user-limits.ts";
import type { Executor, JobDirectory, LogFile } from "../core/running/executor.ts";
import type { JobOutputs } from "../core/running/outputs.ts";
import type { UseCourses } from "../core/running/use-course.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Environment } from "../core/store.ts";
import type { OnStep } from "../core/telemetry/steps.ts";

/** `uptime`: seconds on a clock that nobody sets. */
export type TaskContext = ChangeContext &
  Readonly<{
    executor: Executor;
    gpus: GpuProbe;
    readDiskRoom: ReadDiskRoom;
    trouble: LaunchTrouble;
    jobDirectory: JobDirectory;
    outputs: JobOutputs;
    logs: Pick<LogFile, "readTail" | "measure">;
    useCourses: Pick<UseCourses, "append">;
    uptime: Clock;
    readBootTime: () => BootTime;
    serverEnvironment: Environment;
    onStep?: OnStep | undefined;
    settings: Pick<
      Settings,
      | "refreshRate"
      | "maxCpuJobs"
      | "maxPassedOver"
      | "vramEnforce"
      | "idleWarn"
      | "idleEnd"
      | "nodeName"
      | "retentionDays"
      | "artifactGb"
    > &
      Readonly<{ limitsOf?: LimitsOf; host?: HostRules; reserveRules?: ReserveRules }>;
  }>;

/**
 * What the tasks know beyond the store: lost with the process, rebuilt by the next one. `killedSince` is on the clock of
 * `uptime`, `gpuUuids` are those of the GPUs that a job was given, by index, `unwrittenUse` is what its GPUs were seen to do since that was written down; `mixed` says of a version of the store whether GPU and CPU jobs wait for the same CPUs or memory, so that neither are decided about alone.
 */
export type TaskMemory = Readonly<{
  killedSince: Map<JobId, number>;
  watches: Map<JobId, () => void>;
  launching: Set<JobId>;
  gpuUuids: Map<JobId, ReadonlyMap<number, string | null>>;
  unwrittenUse: Map<JobId, SeenUse>;
  quiet: Map<"cpu" | "gpu", Quiet>;
  mixed: Map<string, boolean>;
}>;

export const createMemory = (): TaskMemory => ({
  killedSince: new Map(),
  watches: new Map(),
  launching: new Set(),
  gpuUuids: new Map(),
  quiet: new Map(),
  mixed: new Map(),
  unwrittenUse: new Map(),
});
