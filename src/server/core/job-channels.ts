import { isEnded, type Job } from "./job.ts";
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
