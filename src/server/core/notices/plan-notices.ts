import { listPast } from "../jobs/attempt.ts";
import { isEnded, isMoving, type Job } from "../jobs/job.ts";
import { tellRun } from "../jobs/job-run.ts";
import type { Stall } from "../jobs/stall.ts";
import type { JobNews, News } from "./news.ts";
import { findToldStall } from "./notice-text.ts";
import type { KeptSubject, Notice } from "./outbox.ts";

type Secrets = Notice["secrets"];

/** What a channel asks of news to have something to say, and where its messages go. */
export type Channel = Readonly<{
  name: string;
  isWanted: (news: News) => boolean;
  findDestination: (secrets: Secrets) => string;
}>;

/** Who may want to hear, at what time, and what those need who do. */
export type NoticeSource = Readonly<{ channels: readonly Channel[]; now: number; loadSecrets: () => Secrets }>;

const LOG_GRACE_S = 5;
const FILES_GRACE_S = 5;
export const LOG_CHANNEL = "nullpointer";
/** The one whose messages can be changed later. */
export const EDITING_CHANNEL = "discord";

const hasNewRun = (before: Job, after: Job): boolean => {
  const told = tellRun(after);
  return told !== null && told !== tellRun(before);
};

const wasNeverFoundWaiting = (job: Job): boolean => !("inputSince" in job) || job.inputSince === undefined;

const isWarned = (job: Job): boolean => isEnded(job) && job.outputs.isWarned;

const findMove = (before: Job, after: Job): JobNews["event"] | null => {
  if (listPast(after).length > listPast(before).length) return "retried";
  if (after.status === "running") return listPast(after).length === 0 ? "started" : null;
  return isEnded(after) ? after.status : null;
};

const isOverBooked = (job: Job): boolean => "isOverBooked" in job && job.isOverBooked === true;

const findTold = (before: Job, after: Job): JobNews["event"] | null => {
  const isNew = (stall: Stall): boolean => findToldStall(after, stall) !== findToldStall(before, stall);
  if (isNew("idle")) return "gpus_idle";
  return isNew("silence") ? "log_silent" : null;
};

const findEvent = (before: Job, after: Job): JobNews["event"] | null => {
  if (before.status !== after.status) return findMove(before, after);
  if (isWarned(after) && !isWarned(before)) return "files_expire";
  if (wasNeverFoundWaiting(before) && !wasNeverFoundWaiting(after)) return "waits_for_input";
  if (isOverBooked(after) && !isOverBooked(before)) return "vram_exceeded";
  return findTold(before, after) ?? (hasNewRun(before, after) ? "run_found" : null);
};

const toSubject = (news: News): KeptSubject => {
  switch (news.kind) {
    case "job":
      return {
        ...{ kind: news.kind, event: news.event, jobId: news.job.id },
        ...(news.attempt === undefined ? {} : { attempt: news.attempt }),
      };
    case "batch": {
      const { kind, event, batch, lastJob } = news;
      return { kind, event, batchId: batch.id, lastJobId: lastJob.id, removedJob: isEnded(lastJob) ? null : lastJob };
    }
    case "machine":
      return news;
  }
};

const findToldJob = (news: News): Job | null => {
  switch (news.kind) {
    case "job":
      return news.job;
    case "batch":
      return news.lastJob;
    case "machine":
      return null;
  }
};

/** Whether messages of the job wait for its log to be uploaded. */
export const waitsForLog = (job: Job): boolean => isEnded(job) && job.integrations.includes("nullpointer");

const findGrace = (news: News, channel: string): number => {
  const job = findToldJob(news);
  if (job === null || channel === LOG_CHANNEL) return 0;
  if (waitsForLog(job)) return LOG_GRACE_S;
  return isMoving(job) ? FILES_GRACE_S : 0;
};

/** Where a channel's message goes, by what its owner or the job's environment says. */
export const nameDestination = ({ name, findDestination }: Channel, secrets: Secrets): string =>
  `${name} ${findDestination(secrets)}`;

/** A message that may name the uploaded log, or what the job made, waits up to 5 s for it; the log itself does not wait. */
export const planNotices = (news: News, source: NoticeSource): readonly Notice[] => {
  const wanted = source.channels.filter((channel) => channel.isWanted(news));
  if (wanted.length === 0) return [];
  const { now } = source;
  const [subject, secrets] = [toSubject(news), source.loadSecrets()];
  return wanted.map((channel) => ({
    subject,
    channel: channel.name,
    destination: nameDestination(channel, secrets),
    secrets,
    createdAt: now,
    dueAt: now + findGrace(news, channel.name),
  }));
};

const isOfAttempt = (event: JobNews["event"]): boolean =>
  event === "vram_exceeded" || event === "gpus_idle" || event === "log_silent";

const findAttempt = (event: JobNews["event"], after: Job): Pick<JobNews, "attempt"> => {
  if (event === "retried") return { attempt: listPast(after).length };
  return isOfAttempt(event) ? { attempt: listPast(after).length + 1 } : {};
};

/** Nothing for a change that is of no interest to anyone. */
export const planJobNotices = (before: Job, after: Job, source: NoticeSource): readonly Notice[] => {
  const event = findEvent(before, after);
  if (event === null) return [];
  return planNotices({ kind: "job", event, job: after, ...findAttempt(event, after) }, source);
};
