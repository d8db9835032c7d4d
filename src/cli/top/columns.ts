import type { WireGpu } from "../../wire/gpu.ts";
import { formatGpuMemory, listGpuUses } from "../../wire/gpus/gpu-text.ts";
import type { WireJob } from "../../wire/job.ts";
import { tellReservation } from "../../wire/reservations/reservation-text.ts";
import type { ServerView } from "../../wire/views/server-view.ts";
import { describeDelay, formatGpus } from "../jobs/job-text.ts";
import { createCommandList, type FitListed, type Listed } from "../lists/command-list.ts";
import { formatRecent } from "../terminal/clock.ts";
import { formatDuration } from "../terminal/duration.ts";
import { truncateText } from "../terminal/text-width.ts";
import type { Style } from "./line.ts";
import type { Column } from "./table.ts";
import { listShown } from "./top-state.ts";

const MIDDLE = 48;
const WIDE = 64;
const WIDEST_ID = 16;
const LEAST_ID = 10;
const LEAST_COMMAND = 10;
const LONGEST_END = 400;

const formatFigure = (value: number | null, unit: string): string =>
  value === null ? "-" : `${Math.round(value)}${unit}`;

const nameJob = (id: string, { running }: ServerView): string => {
  const user = running.find((job) => job.id === id)?.user;
  return user === undefined ? id : `${id} ${user}`;
};

const nameUser = (gpu: WireGpu, view: ServerView): readonly string[] => {
  const {
    running_job_id: id,
    process_count,
    unseen_use,
    job_ids: ids,
  }: Partial<Pick<WireGpu, "job_ids">> & Omit<WireGpu, "job_ids"> = gpu;
  if (ids !== undefined && ids.length > 1) return ids.map((one) => nameJob(one, view));
  if (id !== null) return [nameJob(id, view)];
  if (process_count > 0) return [`others (${process_count})`];
  return unseen_use ? ["others (not visible)"] : [];
};

const nameReserved = (gpu: WireGpu, isNow: boolean, now: number): readonly string[] => {
  const { is_reserved = false, reservations: [first] = [] }: Partial<WireGpu> = gpu;
  const tell = (seconds: number): string => formatRecent(seconds, now);
  return first === undefined || is_reserved !== isNow ? [] : [tellReservation(first, isNow, tell)];
};

const describeNow = (gpu: WireGpu, view: ServerView, now: number): string => {
  const uses = [
    ...nameUser(gpu, view),
    ...(gpu.fault ? [gpu.fault] : []),
    ...(gpu.is_blacklisted ? ["blacklisted"] : []),
    ...nameReserved(gpu, true, now),
  ];
  if (uses.length > 0) return uses.join(", ");
  return gpu.doubt ? "free, last choice" : "free";
};

const describeUse = (gpu: WireGpu, view: ServerView, now: number): string =>
  [describeNow(gpu, view, now), ...nameReserved(gpu, false, now)].join(", ");

const STYLES = { good: "green", taken: "yellow", bad: "red" } as const;

const styleUse = (gpu: WireGpu): Style => {
  const tones = listGpuUses(gpu).map(({ tone }) => tone);
  return STYLES[tones.includes("bad") ? "bad" : (tones[0] ?? "good")];
};

const countHidden = (hidden: number): string => (hidden > 0 ? ` (${hidden} more GPUs not shown)` : "");

export const createGpuColumns = (view: ServerView, hidden: number, now: number): readonly Column<WireGpu>[] => [
  { title: "GPU", width: 3, read: ({ index }) => String(index) },
  { title: "NAME", width: 24, from: WIDE, read: ({ name }) => name },
  { title: "MEMORY MiB", width: 13, alignRight: true, read: formatGpuMemory },
  { title: "UTIL", width: 4, alignRight: true, read: ({ utilization }) => formatFigure(utilization, "%") },
  {
    title: "TEMP",
    width: 5,
    from: MIDDLE,
    alignRight: true,
    read: ({ temperature }) => formatFigure(temperature, "°C"),
  },
  { title: `USED BY${countHidden(hidden)}`, read: (gpu) => describeUse(gpu, view, now), style: styleUse },
];

const measureId = (view: ServerView): number =>
  Math.min(WIDEST_ID, Math.max(LEAST_ID, ...listShown(view).map(({ id }) => id.length)));

const createNames = (title: string, view: ServerView): readonly Column<WireJob>[] => [
  { title, width: measureId(view), read: ({ id }) => id },
  { title: "USER", width: 10, from: WIDE, read: ({ user }) => user },
  { title: "GPU", width: 7, from: MIDDLE, read: formatGpus },
];

const clip = (job: Listed): Listed => {
  const { command } = job;
  const isLong = command.length > 2 * LONGEST_END;
  return isLong ? { ...job, command: `${command.slice(0, LONGEST_END)}…${command.slice(-LONGEST_END)}` } : job;
};

const listCommands = (jobs: readonly WireJob[]): FitListed => {
  const shorten = createCommandList(jobs.map(clip));
  return (job, width) => shorten(clip(job), width);
};

const WAITS = "waits for input: ";

const tellDelay = (job: WireJob, now: number): string => {
  const delay = describeDelay(job, now);
  return delay === null ? "" : `${delay}: `;
};

const tellInputWait = ({ waits_for_input_since: since }: WireJob): string => (since ? WAITS : "");

const createStates = (jobs: readonly WireJob[], tell: (job: WireJob) => string): Column<WireJob> => {
  const shorten = listCommands(jobs);
  const fitAfter = (start: string, job: WireJob, width: number): string =>
    start === ""
      ? shorten(job, width)
      : truncateText(start + shorten(job, Math.max(LEAST_COMMAND, width - start.length)), width);
  return {
    title: "COMMAND",
    read: ({ command }) => command,
    fit: (job, width) => fitAfter(tell(job), job, width),
    style: (job) => (tell(job) === "" ? "plain" : "yellow"),
  };
};

const formatRuntime = ({ started_at, marked_for_kill }: WireJob, now: number): string => {
  if (marked_for_kill) return "ending";
  return started_at === null ? "-" : formatDuration(now - started_at);
};

/** The head of the table says how many there are: what is listed may be a part of them. */
export const createRunningColumns = (view: ServerView, now: number): readonly Column<WireJob>[] => [
  ...createNames(`RUNNING ${view.status.running_jobs}`, view),
  { title: "RUNTIME", width: 8, alignRight: true, read: (job) => formatRuntime(job, now) },
  createStates(view.running, tellInputWait),
];

export const createQueuedColumns = (view: ServerView, now: number): readonly Column<WireJob>[] => [
  ...createNames(`QUEUED ${view.status.queued_jobs}`, view),
  { title: "WAITING", width: 8, alignRight: true, read: ({ created_at }) => formatDuration(now - created_at) },
  { title: "PRIO", width: 5, alignRight: true, read: ({ priority }) => String(priority) },
  createStates(view.queued, (job) => tellDelay(job, now)),
];
