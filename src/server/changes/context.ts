import type { Clock } from "../core/clock.ts";
import type { AgentLimits } from "../core/jobs/agent-limits.ts";
import type { JobId } from "../core/jobs/job.ts";
import type { ReadDiskRoom } from "../core/machine/disk-room.ts";
import type { LaunchTrouble } from "../core/machine/launch-trouble.ts";
import type { Channel } from "../core/notices/plan-notices.ts";
import type { GpuProbe } from "../core/queue/gpu.ts";
import type { QueueLimits } from "../core/queue/queue-limits.ts";
import type { Store } from "../core/store.ts";
import type { Log } from "../core/telemetry/log.ts";
import type { Meter } from "../core/telemetry/meter.ts";

/** Who asks, with its limits where it is an agent, and the log of the request, whose lines carry its id. */
export type Caller = Readonly<{ log: Log; name: string; isAdmin: boolean; agent?: AgentLimits | undefined }>;

/** `running` has the running jobs looked at now, `queues` what can start now, `outbox` what is to be told, `outputs` what ended jobs made. */
export type Wakes = Readonly<{ running: () => void; queues: () => void; outbox: () => void; outputs: () => void }>;

/** What every write of a job needs, whoever asks for it. */
export type ChangeContext = Readonly<{
  store: Store;
  clock: Clock;
  log: Log;
  meter: Meter;
  channels: readonly Channel[];
  wakes: Wakes;
}>;

/** `newJobId` proposes an id that may be taken. */
export type SubmitContext = ChangeContext &
  Readonly<{
    gpus: GpuProbe;
    readDiskRoom: ReadDiskRoom;
    trouble: Pick<LaunchTrouble, "read">;
    newJobId: () => JobId;
    settings: QueueLimits & Readonly<{ nodeName: string }>;
  }>;
