import { isEnded, type Job } from "../jobs/job.ts";
import { isOfMachine } from "./machine-notice.ts";
import type { Batch, NoticeEvent } from "./outbox.ts";
import { clipEnd } from "./plain-text.ts";

/** `logLines` are plain and masked. */
export type NoticeFacts = Readonly<{
  job: Job;
  event: NoticeEvent;
  logLines: readonly string[];
  logUrl: string | null;
  batch: Batch | null;
}>;

const MAX_COMMAND = 500;
const MINUTE_S = 60;
const HOUR_S = 3600;

const formatTime = (seconds: number): string => {
  const [hours, minutes] = [Math.floor(seconds / HOUR_S), Math.floor((seconds % HOUR_S) / MINUTE_S)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds % MINUTE_S)} s`;
};

const describeRuntime = (job: Job): string | null =>
  isEnded(job) ? formatTime(job.completedAt - job.startedAt) : null;

const listFacts = ({ job, logUrl }: NoticeFacts): readonly (readonly [string, string | null])[] => [
  ["Error", isEnded(job) ? job.errorMessage : null],
  ["Command", clipEnd(job.command, MAX_COMMAND)],
  ["User", job.user],
  ["Runtime", describeRuntime(job)],
  ["Git", [job.gitTag, job.gitBranch, job.gitRepoUrl].filter((part) => part !== null).join(" ")],
  ["W&B", "wandbUrl" in job ? job.wandbUrl : null],
  ["Log", logUrl],
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

/** `Job k3f9ab failed on atlas`, or `Batch: 20 of 20 done, 3 failed, on atlas`. */
export const titleNotice = ({ job, event, batch }: Pick<NoticeFacts, "job" | "event" | "batch">): string => {
  if (event === "unhealthy") return `${job.nodeName} is unhealthy`;
  if (event === "recovered") return `${job.nodeName} is healthy again`;
  if (batch === null) return `Job ${job.id} ${event} on ${job.nodeName}`;
  const failed = batch.failed === 0 ? "" : ` ${batch.failed} failed,`;
  return `Batch: ${countDone(batch)} of ${batch.total} done,${failed} on ${job.nodeName}`;
};

const describeBatch = (batch: Batch, job: Job): string => {
  const more = batch.failed > batch.failedIds.length ? " …" : "";
  const failed = batch.failed === 0 ? [] : [`Failed: ${batch.failedIds.join(" ")}${more}`];
  const last = [`Last command: ${clipEnd(job.command, MAX_COMMAND)}`, `User: ${job.user}`];
  return [`Jobs: ${listCounts(batch)}`, ...failed, ...last].join("\n");
};

const describeFigures = ({ job }: NoticeFacts): string => (isEnded(job) ? (job.errorMessage ?? "") : "");

const describeJob = (facts: NoticeFacts): string =>
  listFacts(facts)
    .flatMap(([name, value]) => (value === null || value === "" ? [] : [`${name}: ${value}`]))
    .join("\n");

/** What is known of the job or batch, a line each, without the log. */
export const describeNotice = (facts: NoticeFacts): string => {
  if (isOfMachine(facts.event)) return describeFigures(facts);
  return facts.batch === null ? describeJob(facts) : describeBatch(facts.batch, facts.job);
};

/** The end of the log, of a job that failed or was killed. */
export const quoteLog = ({ event, logLines }: NoticeFacts): string =>
  event === "failed" || event === "killed" ? logLines.join("\n") : "";
