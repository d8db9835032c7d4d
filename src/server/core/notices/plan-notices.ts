import { type EndedJob, isEnded, type Job } from "../jobs/job.ts";
import type { Notice, NoticeEvent } from "./outbox.ts";

type Secrets = Readonly<Record<string, string>>;

/** What a channel asks of a job and of an event to have something to say, and where its messages go. */
export type Channel = Readonly<{
  name: string;
  isWanted: (job: Job, event: NoticeEvent) => boolean;
  findDestination: (job: Job, secrets: Secrets) => string;
}>;

/** Who may want to hear, at what time, and what those need who do. */
export type NoticeSource = Readonly<{ channels: readonly Channel[]; now: number; loadSecrets: () => Secrets }>;

const LOG_GRACE_S = 5;
export const LOG_CHANNEL = "nullpointer";
/** The one whose messages can be changed later. */
export const EDITING_CHANNEL = "discord";

const hasNewRun = (before: Job, after: Job): boolean =>
  "wandbUrl" in after && after.wandbUrl !== null && !("wandbUrl" in before && before.wandbUrl === after.wandbUrl);

/** Null for a change that is of no interest to anyone. */
export const findNoticeEvent = (before: Job, after: Job): NoticeEvent | null => {
  if (before.status !== after.status) {
    if (after.status === "running") return "started";
    return isEnded(after) ? after.status : null;
  }
  return hasNewRun(before, after) ? "run_found" : null;
};

const waitsForLog = (job: Job, channel: string): job is EndedJob =>
  isEnded(job) && channel !== LOG_CHANNEL && job.integrations.includes("nullpointer");

/** A message that may name the uploaded log waits up to 5 s for it; the log itself does not wait. */
export const planNotices = (event: NoticeEvent | null, job: Job, source: NoticeSource): readonly Notice[] => {
  const wanted = event === null ? [] : source.channels.filter((channel) => channel.isWanted(job, event));
  if (event === null || wanted.length === 0) return [];
  const secrets = source.loadSecrets();
  return wanted.map((channel) => ({
    jobId: job.id,
    channel: channel.name,
    event,
    destination: `${channel.name} ${channel.findDestination(job, secrets)}`,
    secrets,
    createdAt: source.now,
    dueAt: source.now + (waitsForLog(job, channel.name) ? LOG_GRACE_S : 0),
  }));
};
