import type { EndedJob } from "../jobs/job.ts";
import type { DiskRoom } from "../machine/disk-room.ts";
import type { DeliveryOutcome } from "../notices/outbox.ts";
import type { Stretch } from "../queue/fair-share.ts";
import type { GpuState } from "../queue/gpu-selection.ts";
import type { ArtifactTotals, JobCounts } from "../store.ts";

/** What holds an answer open until its job or its client ends it. */
export type FollowerKind = "logs" | "events" | "terminals";

export type RequestSample = Readonly<{ method: string; route: string; status: number; seconds: number }>;

/** `changes` shared the transaction; `syncS` is the part of `totalS` that the commit and its fsync took, in seconds. */
export type CommitSample = Readonly<{ changes: number; totalS: number; syncS: number }>;

/** `oldestS` is how many seconds the oldest of those that wait has done so. */
export type ChannelFigures = Readonly<{ channel: string; waiting: number; oldestS: number }>;

/** What is read at the moment of a scrape. `running` are attempts that run, up to now. `gpus` is null while they can't be read, `disk` likewise, `certificateExpiresAt` (Unix seconds) without TLS. */
export type ServerFigures = Readonly<{
  version: string;
  nodeName: string;
  jobs: JobCounts;
  gpus: readonly GpuState[] | null;
  artifacts: ArtifactTotals;
  certificateExpiresAt: number | null;
  disk?: DiskRoom | null;
  trouble?: string | null;
  channels: readonly ChannelFigures[];
  running?: readonly Stretch[];
}>;

/** Durations in seconds. `addFollower` returns what its end calls. `render` is Prometheus text of all figures. */
export type Meter = Readonly<{
  countSubmitted: (jobs: number) => void;
  countEnded: (status: EndedJob["status"]) => void;
  observeQueueWait: (seconds: number, user: string) => void;
  countStretch: (stretch: Stretch) => void;
  observeLaunch: (seconds: number) => void;
  observeStart: (seconds: number) => void;
  observeTask: (task: string, seconds: number, isFailed: boolean) => void;
  observeCommit: (sample: CommitSample) => void;
  countFailedCommit: () => void;
  countDelivery: (channel: string, outcome: DeliveryOutcome["kind"]) => void;
  observeRequest: (sample: RequestSample) => void;
  observeLag: (seconds: number) => void;
  addFollower: (kind: FollowerKind) => () => void;
  render: (figures: ServerFigures) => string;
}>;
