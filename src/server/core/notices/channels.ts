import type { Job } from "../jobs/job.ts";
import type { NotifyChannel } from "./channel-settings.ts";
import type { JobNews, News, NoticeEvent } from "./news.ts";
import { type Channel, LOG_CHANNEL } from "./plan-notices.ts";

const isEnding = (event: NoticeEvent): boolean => event === "completed" || event === "failed" || event === "killed";

const discord: Channel = {
  name: "discord",
  isWanted: (news) =>
    news.kind === "job" && news.job.notifications.includes("discord") && news.event !== "files_expire",
  findDestination: (secrets) => secrets["DISCORD_WEBHOOK_URL"] ?? "",
};

const phone: Channel = {
  name: "phone",
  isWanted: (news) =>
    news.kind === "job" &&
    news.job.notifications.includes("phone") &&
    (isEnding(news.event) || news.event === "waits_for_input"),
  findDestination: (secrets) => secrets["TWILIO_ACCOUNT_SID"] ?? "",
};

const uploadedLog: Channel = {
  name: LOG_CHANNEL,
  isWanted: (news) => news.kind === "job" && news.job.integrations.includes("nullpointer") && isEnding(news.event),
  findDestination: () => "",
};

/** The channels that a job asks for by its `notifications` and `integrations`. */
export const JOB_CHANNELS: readonly Channel[] = [uploadedLog, discord, phone];

const isOf = (users: readonly string[], { user }: Job): boolean => users.length === 0 || users.includes(user);

const EVENTS_FOR_ALL: readonly NoticeEvent[] = [
  "files_expire",
  "waits_for_input",
  "vram_exceeded",
  "gpus_idle",
  "log_silent",
];

const isOfJobWanted = ({ users, digest }: NotifyChannel, { event, job }: JobNews, isListed: boolean): boolean => {
  if (EVENTS_FOR_ALL.includes(event)) return isOf(users, job);
  if (event === "disk_low") return isListed && users.includes(job.user);
  return isOf(users, job) && isListed && !(digest && job.batchId !== undefined);
};

const NAMES_IN_LISTS: Readonly<Partial<Record<NoticeEvent, NoticeEvent>>> = {
  disk_low: "unhealthy",
  retried: "failed",
};

const isWantedBy = (channel: NotifyChannel, news: News): boolean => {
  const { events, users, digest } = channel;
  const name = NAMES_IN_LISTS[news.event] ?? news.event;
  const isListed = events.some((event) => event === name);
  switch (news.kind) {
    case "job":
      return isOfJobWanted(channel, news, isListed);
    case "batch":
      return isOf(users, news.lastJob) && digest;
    case "machine":
      return users.length === 0 && isListed;
  }
};

/** Channels that the server's owner configured: they hear of jobs that did not ask for it. */
export const createServerChannels = (channels: readonly NotifyChannel[]): readonly Channel[] =>
  channels.map((channel) => ({
    name: channel.name,
    isWanted: (news) => isWantedBy(channel, news),
    findDestination: () => channel.url,
  }));
