import { isEnded, type Job } from "../jobs/job.ts";
import type { NotifyChannel } from "./channel-settings.ts";
import type { NoticeEvent } from "./outbox.ts";
import { type Channel, LOG_CHANNEL } from "./plan-notices.ts";

const isEnding = (event: NoticeEvent): boolean => event === "completed" || event === "failed" || event === "killed";

const discord: Channel = {
  name: "discord",
  isWanted: (job, event) => job.notifications.includes("discord") && event !== "batch_done",
  findDestination: (_job, secrets) => secrets["DISCORD_WEBHOOK_URL"] ?? "",
};

const phone: Channel = {
  name: "phone",
  isWanted: (job, event) => job.notifications.includes("phone") && isEnding(event),
  findDestination: (_job, secrets) => secrets["TWILIO_ACCOUNT_SID"] ?? "",
};

const uploadedLog: Channel = {
  name: LOG_CHANNEL,
  isWanted: (job: Job, event) => isEnded(job) && job.integrations.includes("nullpointer") && isEnding(event),
  findDestination: () => "",
};

/** The channels that a job asks for by its `notifications` and `integrations`. */
export const JOB_CHANNELS: readonly Channel[] = [uploadedLog, discord, phone];

/** Channels that the server's owner configured: they hear of jobs that did not ask for it. */
export const createServerChannels = (channels: readonly NotifyChannel[]): readonly Channel[] =>
  channels.map(({ name, url, events, users, digest }) => ({
    name,
    isWanted: (job, event) => {
      if (users.length > 0 && !users.includes(job.user)) return false;
      const isDigested = digest && job.batchId !== undefined;
      return isDigested ? event === "batch_done" : events.some((wanted) => wanted === event);
    },
    findDestination: () => url,
  }));
