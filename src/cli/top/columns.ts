import type { WireGpu } from "../../wire/gpu.ts";
import type { WireJob } from "../../wire/job.ts";
import { formatGpus } from "../jobs/job-text.ts";
import { formatDuration } from "../terminal/duration.ts";
import type { Style } from "./line.ts";
import type { Column } from "./table.ts";
import { listShown, type ServerView } from "./top-state.ts";

const MIDDLE = 48;
const WIDE = 64;
const WIDEST_ID = 16;
const LEAST_ID = 10;

const formatMemory = ({ memory_used, memory_total }: WireGpu): string => `${memory_used}/${memory_total}`;

const formatFigure = (value: number | null, unit: string): string =>
  value === null ? "-" : `${Math.round(value)}${unit}`;

const nameUse = (gpu: WireGpu, { running }: ServerView): string => {
  if (gpu.running_job_id === null) return gpu.process_count > 0 ? `others (${gpu.process_count})` : "free";
  const user = running.find(({ id }) => id === gpu.running_job_id)?.user;
  return user === undefined ? gpu.running_job_id : `${gpu.running_job_id} ${user}`;
};

const describeUse = (gpu: WireGpu, view: ServerView): string => {
  const isFree = gpu.running_job_id === null && gpu.process_count === 0;
  if (!gpu.is_blacklisted) return nameUse(gpu, view);
  return isFree ? "blacklisted" : `${nameUse(gpu, view)}, blacklisted`;
};

const styleUse = (gpu: WireGpu): Style => {
  if (gpu.is_blacklisted) return "red";
  if (gpu.running_job_id !== null) return "yellow";
  return gpu.process_count > 0 ? "red" : "green";
};

const countHidden = (hidden: number): string => (hidden > 0 ? ` (${hidden} more GPUs not shown)` : "");

export const createGpuColumns = (view: ServerView, hidden: number): readonly Column<WireGpu>[] => [
  { title: "GPU", width: 3, read: ({ index }) => String(index) },
  { title: "NAME", width: 24, from: WIDE, read: ({ name }) => name },
  { title: "MEMORY MiB", width: 13, alignRight: true, read: formatMemory },
  { title: "UTIL", width: 4, alignRight: true, read: ({ utilization }) => formatFigure(utilization, "%") },
  {
    title: "TEMP",
    width: 5,
    from: MIDDLE,
    alignRight: true,
    read: ({ temperature }) => formatFigure(temperature, "°C"),
  },
  { title: `USED BY${countHidden(hidden)}`, read: (gpu) => describeUse(gpu, view), style: styleUse },
];

const measureId = (view: ServerView): number =>
  Math.min(WIDEST_ID, Math.max(LEAST_ID, ...listShown(view).map(({ id }) => id.length)));

const createNames = (title: string, view: ServerView): readonly Column<WireJob>[] => [
  { title, width: measureId(view), read: ({ id }) => id },
  { title: "USER", width: 10, from: WIDE, read: ({ user }) => user },
  { title: "GPU", width: 7, from: MIDDLE, read: formatGpus },
];

const COMMAND: Column<WireJob> = { title: "COMMAND", read: ({ command }) => command };

const formatRuntime = ({ started_at, marked_for_kill }: WireJob, now: number): string => {
  if (marked_for_kill) return "ending";
  return started_at === null ? "-" : formatDuration(now - started_at);
};

/** The head of the table says how many there are: what is listed may be a part of them. */
export const createRunningColumns = (view: ServerView, now: number): readonly Column<WireJob>[] => [
  ...createNames(`RUNNING ${view.status.running_jobs}`, view),
  { title: "RUNTIME", width: 8, alignRight: true, read: (job) => formatRuntime(job, now) },
  COMMAND,
];

export const createQueuedColumns = (view: ServerView, now: number): readonly Column<WireJob>[] => [
  ...createNames(`QUEUED ${view.status.queued_jobs}`, view),
  { title: "WAITING", width: 8, alignRight: true, read: ({ created_at }) => formatDuration(now - created_at) },
  { title: "PRIO", width: 5, alignRight: true, read: ({ priority }) => String(priority) },
  COMMAND,
];
