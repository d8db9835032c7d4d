import { describeGoing, describeKept } from "../../../wire/outputs-text.ts";
import { describeRetry } from "../jobs/attempt.ts";
import { describeOveruse } from "../jobs/halt.ts";
import { isEnded, type Job } from "../jobs/job.ts";
import { tellRun } from "../jobs/job-run.ts";
import { describeToldStall, type Stall, type ToldStall } from "../jobs/stall.ts";
import type { Batch, BatchNews, JobNews, MachineNews, News } from "./news.ts";
import { clipEnd } from "./plain-text.ts";

type JobFacts = JobNews & Readonly<{ logLines: readonly string[]; logUrl: string | null }>;
type BatchFacts = BatchNews & Readonly<{ logUrl: string | null }>;

/** News as they are told: masked, and `logLines` plain. */
export type NoticeFacts = JobFacts | BatchFacts | MachineNews;

const MAX_COMMAND = 500;
const MAX_NOTE = 300;
const MINUTE_S = 60;
const HOUR_S = 3600;

const formatTime = (seconds: number): string => {
  const [hours, minutes] = [Math.floor(seconds / HOUR_S), Math.floor((seconds % HOUR_S) / MINUTE_S)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds % MINUTE_S)} s`;
};

const describeRuntime = (job: Job): string | null =>
  isEnded(job) && job.startedAt !== null ? formatTime(job.completedAt - job.startedAt) : null;

/** What is kept of what the job made; null where it made nothing. */
export const describeFiles = (job: Job): string | null => {
  if (!isEnded(job)) return null;
  const { state, keptUntil, isWarned, leftOut } = job.outputs;
  if (state === "moving") return "what it made is still being moved";
  if (isWarned && keptUntil !== null) return describeGoing(job.id, job.outputs, keptUntil);
  return state === "failed" ? null : describeKept(job.id, job.outputs, leftOut);
};

/** What to do where a job waits for input. */
export const describeInputWait = ({ id }: Pick<Job, "id">): string =>
  `its program has waited for input for 5 min: answer with nx attach ${id}, or end it with nx kill ${id}`;

/** How much it has, and what may come of it. */
export const describeExcess = ({ vramPeakMib = 0, vramMib }: Job): string =>
  `${describeOveruse(vramPeakMib, vramMib ?? 0)}: others on that GPU may run out of it, and above 1.2 times the job may be ended for them`;

export const findToldStall = (job: Job, stall: Stall): ToldStall | null =>
  ("toldStalls" in job ? job.toldStalls?.[stall] : null) ?? null;

const STALL_EVENTS: Readonly<Partial<Record<JobNews["event"], Stall>>> = { gpus_idle: "idle", log_silent: "silence" };

/** For how long it has done nothing, and what comes of it; null where the event is another. */
export const describeStalled = (job: Job, event: JobNews["event"]): string | null => {
  const stall = STALL_EVENTS[event];
  const told = stall === undefined ? null : findToldStall(job, stall);
  return stall === undefined || told === null ? null : describeToldStall(stall, told);
};

/** What follows from it for a job that runs. */
export const DISK_LOW = "Less than min_free_gb is free: nothing new starts, and what the job writes may not fit";

const listFacts = ({ job, event, attempt = 0, logUrl }: JobFacts): readonly (readonly [string, string | null])[] => [
  ["Input", event === "waits_for_input" ? describeInputWait(job) : null],
  ["GPU memory", event === "vram_exceeded" ? describeExcess(job) : null],
  ["Stalled", describeStalled(job, event)],
  ["Retry", event === "retried" ? describeRetry(job, attempt) : null],
  ["Disk", event === "disk_low" ? DISK_LOW : null],
  ["Error", isEnded(job) ? job.errorMessage : null],
  ["Command", clipEnd(job.command, MAX_COMMAND)],
  ["User", job.user],
  ["Runtime", describeRuntime(job)],
  ["Git", [job.gitTag, job.gitBranch, job.gitRepoUrl].filter((part) => part !== null).join(" ")],
  ["W&B", tellRun(job)],
  ["Files", describeFiles(job)],
  ["Log", logUrl],
  ...job.notes.map((note) => ["Note", clipEnd(note, MAX_NOTE)] as const),
];

const listCounts = ({ completed, failed, killed, removed }: Batch): string =>
  [
    [completed, "completed"],
    [failed, "failed"],
    [killed, "killed"],
    [removed, "removed"],
  ]
    .flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]))
    .join(", ");

const countDone = ({ completed, failed, killed }: Batch): number => completed + failed + killed;

/** The machine that the news are from. */
export const nameNode = (news: News): string => {
  switch (news.kind) {
    case "job":
      return news.job.nodeName;
    case "batch":
      return news.lastJob.nodeName;
    case "machine":
      return news.nodeName;
  }
};

const titleBatch = (batch: Batch, node: string): string => {
  const failed = batch.failed === 0 ? "" : ` ${batch.failed} failed,`;
  return `Batch: ${countDone(batch)} of ${batch.total} done,${failed} on ${node}`;
};

/** What is said of a job, after its id. */
export const nameEvent = (event: JobNews["event"]): string => {
  if (event === "retried") return "failed and is tried again";
  if (event === "disk_low") return "is short of disk space";
  if (event === "waits_for_input") return "waits for input";
  if (event === "vram_exceeded") return "has more GPU memory than it booked";
  if (event === "gpus_idle") return "leaves its GPUs idle";
  if (event === "log_silent") return "prints nothing";
  return event === "files_expire" ? "made files that go soon" : event;
};

const titleMachine = ({ event, nodeName }: MachineNews): string => {
  switch (event) {
    case "unhealthy":
      return `${nodeName} is unhealthy`;
    case "recovered":
      return `${nodeName} is healthy again`;
    case "disk_low":
      return `${nodeName} starts no jobs: its disk is nearly full`;
  }
};

/** `Job k3f9ab failed on atlas`, `Batch: 20 of 20 done, 3 failed, on atlas` or `atlas is unhealthy`. */
export const titleNotice = (news: News): string => {
  const node = nameNode(news);
  switch (news.kind) {
    case "job":
      return `Job ${news.job.id} ${nameEvent(news.event)} on ${node}`;
    case "batch":
      return titleBatch(news.batch, node);
    case "machine":
      return titleMachine(news);
  }
};

const describeBatch = ({ batch, lastJob }: BatchFacts): string => {
  const more = batch.failed > batch.failedIds.length ? " …" : "";
  const failed = batch.failed === 0 ? [] : [`Failed: ${batch.failedIds.join(" ")}${more}`];
  const last = [`Last command: ${clipEnd(lastJob.command, MAX_COMMAND)}`, `User: ${lastJob.user}`];
  return [`Jobs: ${listCounts(batch)}`, ...failed, ...last].join("\n");
};

const describeJob = (facts: JobFacts): string =>
  listFacts(facts)
    .flatMap(([name, value]) => (value === null || value === "" ? [] : [`${name}: ${value}`]))
    .join("\n");

/** What is known of the job, the batch or the machine, a line each, without the log. */
export const describeNotice = (facts: NoticeFacts): string => {
  switch (facts.kind) {
    case "job":
      return describeJob(facts);
    case "batch":
      return describeBatch(facts);
    case "machine":
      return facts.figures;
  }
};

/** The end of the log, of a job that failed or was killed. */
export const quoteLog = (facts: NoticeFacts): string =>
  facts.kind === "job" && (facts.event === "failed" || facts.event === "killed") ? facts.logLines.join("\n") : "";
