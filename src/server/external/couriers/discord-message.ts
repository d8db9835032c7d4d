import { describeRetry } from "../../core/jobs/attempt.ts";
import { isEnded, type Job } from "../../core/jobs/job.ts";
import { tellRun } from "../../core/jobs/job-run.ts";
import type { JobNews } from "../../core/notices/news.ts";
import {
  DISK_LOW,
  describeExcess,
  describeFiles,
  describeInputWait,
  describeStalled,
  nameEvent,
} from "../../core/notices/notice-text.ts";
import { clipEnd, clipStart } from "../../core/notices/plain-text.ts";

/** `logLines` are the end of the log, already plain and masked; `userId` is whom to mention. */
export type DiscordFacts = Readonly<{
  job: Job;
  event: JobNews["event"];
  attempt?: number | undefined;
  userId: string;
  logLines: readonly string[];
  logUrl: string | null;
}>;

type Field = Readonly<{ name: string; value: string; inline?: boolean }>;

type Embed = Readonly<{ title: string; color: number; description?: string; fields: readonly Field[] }>;

export type DiscordMessage = Readonly<{
  content: string;
  allowed_mentions: Readonly<{ parse: readonly never[]; users: readonly string[] }>;
  embeds: readonly Embed[];
}>;

const MAX_CONTENT = 2000;
const MAX_TITLE = 256;
const MAX_DESCRIPTION = 4096;
const MAX_VALUE = 1024;
const MAX_NAME = 256;
const MAX_LINK = 512;
const MAX_TOTAL = 6000;
const MAX_FIELDS = 25;
const SNOWFLAKE = /^\d{1,20}$/;
const FENCE = "```";

const COLORS = {
  started: 0x3498db,
  completed: 0x2ecc71,
  failed: 0xe74c3c,
  killed: 0xe67e22,
  disk_low: 0xf1c40f,
  waits_for_input: 0xf1c40f,
  vram_exceeded: 0xf1c40f,
  gpus_idle: 0xf1c40f,
  log_silent: 0xf1c40f,
  retried: 0xf1c40f,
} as const;

type Headline = keyof typeof COLORS;

const OWN_HEADLINES = ["disk_low", "waits_for_input", "vram_exceeded", "gpus_idle", "log_silent", "retried"] as const;

const isOwnHeadline = (event: JobNews["event"]): event is (typeof OWN_HEADLINES)[number] =>
  OWN_HEADLINES.some((one) => one === event);

const findHeadline = (job: Job, event: JobNews["event"]): Headline => {
  if (event === "started" || event === "run_found") return "started";
  if (isOwnHeadline(event)) return event;
  return isEnded(job) ? job.status : "started";
};

const hideMarks = (text: string): string => text.replaceAll("`", "'");

const breakFences = (text: string): string => text.replaceAll(FENCE, "`\u200b`\u200b`");

const quoteBlock = (text: string, limit: number, clip: typeof clipEnd): string =>
  `${FENCE}\n${clip(breakFences(text), limit - 2 * FENCE.length - 2)}\n${FENCE}`;

const markAsCode = (text: string): string => `\`${clipEnd(hideMarks(text).replaceAll(/\s+/g, " "), MAX_NAME - 2)}\``;

const listGit = (job: Job): readonly Field[] =>
  [
    ["Git tag", job.gitTag],
    ["Branch", job.gitBranch],
    ["Repository", job.gitRepoUrl],
  ].flatMap(([name, value]) => (name && value ? [{ name, value: markAsCode(value), inline: true }] : []));

const listLinks = ({ job, logUrl }: DiscordFacts): readonly Field[] =>
  [
    ["W&B", tellRun(job)],
    ["Log", logUrl],
  ].flatMap(([name, value]) => (name && value && value.length <= MAX_LINK ? [{ name, value }] : []));

const listFiles = (job: Job): readonly Field[] =>
  [["Files", describeFiles(job)] as const, ...job.notes.map((note) => ["Note", note] as const)].flatMap(
    ([name, value]) => (value === null ? [] : [{ name, value: markAsCode(value) }]),
  );

const describeGpus = (job: Job): string => {
  if (job.numGpus === 0) return "none";
  return job.status === "queued" ? String(job.numGpus) : job.gpuIdxs.join(", ");
};

const listStalls = (job: Job, headline: Headline): readonly Field[] => {
  const value = describeStalled(job, headline);
  return value === null ? [] : [{ name: "Stalled", value }];
};

const listWarnings = (job: Job, headline: Headline, attempt: number): readonly Field[] => {
  switch (headline) {
    case "waits_for_input":
      return [{ name: "Input", value: describeInputWait(job) }];
    case "vram_exceeded":
      return [{ name: "GPU memory", value: describeExcess(job) }];
    case "gpus_idle":
    case "log_silent":
      return listStalls(job, headline);
    case "retried":
      return [{ name: "Retry", value: quoteBlock(describeRetry(job, attempt), MAX_VALUE, clipEnd) }];
    case "disk_low":
      return [{ name: "Disk", value: DISK_LOW }];
    default:
      return [];
  }
};

const listFields = (facts: DiscordFacts, headline: Headline): readonly Field[] => {
  const { job, attempt = 0 } = facts;
  const error = headline !== "started" && isEnded(job) ? job.errorMessage : null;
  return [
    { name: "Command", value: quoteBlock(job.command, MAX_VALUE, clipEnd) },
    ...(error === null ? [] : [{ name: "Error", value: quoteBlock(error, MAX_VALUE, clipEnd) }]),
    ...listWarnings(job, headline, attempt),
    { name: "User", value: markAsCode(job.user), inline: true },
    { name: "GPUs", value: describeGpus(job), inline: true },
    ...listGit(job),
    ...listFiles(job),
    ...listLinks(facts),
  ].slice(0, MAX_FIELDS);
};

const measure = (title: string, fields: readonly Field[]): number =>
  fields.reduce((sum, { name, value }) => sum + name.length + value.length, title.length);

const describeLog = (
  { logLines }: DiscordFacts,
  headline: Headline,
  room: number,
): Readonly<{ description?: string }> => {
  const isTold = (headline === "failed" || headline === "killed") && logLines.length > 0;
  if (!isTold) return {};
  return { description: quoteBlock(logLines.join("\n"), Math.min(room, MAX_DESCRIPTION), clipStart) };
};

const createEmbed = (facts: DiscordFacts, headline: Headline): Embed => {
  const title = clipEnd(`Job ${facts.job.id} ${nameEvent(headline)}`, MAX_TITLE);
  const fields = listFields(facts, headline);
  return {
    title,
    color: COLORS[headline],
    ...describeLog(facts, headline, MAX_TOTAL - measure(title, fields)),
    fields,
  };
};

/**
 * The body of a webhook message within Discord's limits: content 2000; an embed's title 256, description 4096, field's
 * value 1024, 25 fields, 6000 in all (https://docs.discord.com/developers/resources/message#embed-object-embed-limits).
 * It can mention no one but the user given.
 */
export const createDiscordMessage = (facts: DiscordFacts): DiscordMessage => {
  const headline = findHeadline(facts.job, facts.event);
  const users = SNOWFLAKE.test(facts.userId) ? [facts.userId] : [];
  const mention = users.map((id) => `<@${id}> `).join("");
  const content = `${mention}Job ${facts.job.id} ${nameEvent(headline)} on ${hideMarks(facts.job.nodeName)}`;
  return {
    content: clipEnd(content, MAX_CONTENT),
    allowed_mentions: { parse: [], users },
    embeds: [createEmbed(facts, headline)],
  };
};
