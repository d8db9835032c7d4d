import type { Job } from "../jobs/job.ts";
import type { NotifyChannel } from "./channel-settings.ts";
import type { News, NoticeEvent } from "./news.ts";
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
  isWanted: (news) => news.kind === "job" && news.job.notifications.includes("phone") && isEnding(news.event),
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

const isWantedBy = ({ events, users, digest }: NotifyChannel, news: News): boolean => {
  const isListed = events.some((event) => event === news.event);
  switch (news.kind) {
    case "job":
      if (news.event === "files_expire") return isOf(users, news.job);
      return isOf(users, news.job) && isListed && !(digest && news.job.batchId !== undefined);
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
