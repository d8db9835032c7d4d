import { escapeText } from "../../base/escape-text.ts";
import type { WireJob } from "../../wire/job.ts";
import { describeWandbRun } from "../../wire/wandb-text.ts";
import { formatDuration } from "../terminal/duration.ts";
import { print, printTable } from "../terminal/output.ts";

export const formatGpus = (job: WireJob): string => {
  if (job.num_gpus === 0) return "cpu";
  return job.gpu_idxs.length > 0 ? job.gpu_idxs.join(",") : `any ${job.num_gpus}`;
};

const tellRun = ({ wandb_url, wandb_note }: WireJob): string | null => describeWandbRun(wandb_url, wandb_note ?? null);

const nowSeconds = (): number => Date.now() / 1000;

const formatRuntime = (job: WireJob): string =>
  job.started_at === null ? "-" : formatDuration((job.completed_at ?? nowSeconds()) - job.started_at);

const formatClock = (seconds: number | null): string =>
  seconds === null ? "-" : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

export const printRunning = (jobs: readonly WireJob[]): void =>
  printTable(
    ["ID", "USER", "GPU", "RUNTIME", "COMMAND"],
    jobs.map((job) => [job.id, job.user, formatGpus(job), formatRuntime(job), job.command]),
    jobs.map(tellRun),
  );

export const printQueued = (jobs: readonly WireJob[]): void =>
  printTable(
    ["#", "ID", "USER", "GPU", "PRIO", "WAITING", "COMMAND"],
    jobs.map((job, index) => [
      String(index + 1),
      job.id,
      job.user,
      formatGpus(job),
      String(job.priority),
      formatDuration(nowSeconds() - job.created_at),
      job.command,
    ]),
  );

const formatResult = (job: WireJob): string => (job.exit_code === null ? job.status : `${job.status} ${job.exit_code}`);

const BARE_ENDING = /^Job (?:failed with exit code \d+|was terminated by [^.]*)(?:\. )?/;

const findReason = ({ error_message: message }: WireJob): string => (message ?? "").replace(BARE_ENDING, "");

const printReasons = (jobs: readonly WireJob[]): void => {
  const explained = jobs.filter((job) => findReason(job) !== "");
  if (explained.length === 0) return;
  print("");
  printTable(
    ["ID", "WHY"],
    explained.map((job) => [job.id, findReason(job)]),
  );
};

export const printEnded = (jobs: readonly WireJob[]): void => {
  printTable(
    ["ID", "USER", "RESULT", "ENDED (UTC)", "RUNTIME", "COMMAND"],
    jobs.map((job) => [
      job.id,
      job.user,
      formatResult(job),
      formatClock(job.completed_at),
      formatRuntime(job),
      job.command,
    ]),
  );
  printReasons(jobs);
};

const listNext = (job: WireJob): string => {
  switch (job.status) {
    case "queued":
      return `nx edit ${job.id} · nx remove ${job.id}`;
    case "running":
      return `nx logs -F ${job.id} · nx attach ${job.id} · nx kill ${job.id}`;
    case "completed":
    case "failed":
    case "killed":
      return `nx logs ${job.id}`;
  }
};

const listFacts = (job: WireJob): readonly (readonly [string, string | null])[] => [
  ["id", job.id],
  ["status", formatResult(job)],
  ["error", job.error_message],
  ["command", job.command],
  ["user", job.user],
  ["gpus", formatGpus(job)],
  ["priority", String(job.priority)],
];

const listOrigin = (job: WireJob): readonly (readonly [string, string | null])[] => [
  ["git", [job.git_repo_url, job.git_branch, job.git_tag].filter((part) => part !== null).join(" ")],
  ["env", Object.keys(job.env).join(" ")],
  ["w&b", tellRun(job)],
  ["folder", job.dir],
  ["session", job.status === "running" ? job.screen_session_name : null],
  ["next", listNext(job)],
];

const listTimes = (job: WireJob): readonly (readonly [string, string])[] => [
  ["created", formatClock(job.created_at)],
  ["started", formatClock(job.started_at)],
  ["ended", formatClock(job.completed_at)],
  ["runtime", formatRuntime(job)],
];

/** Name and text of each fact that is known of the job. */
export const describeJob = (job: WireJob): readonly (readonly [string, string])[] =>
  [...listFacts(job), ...listTimes(job), ...listOrigin(job)].flatMap(([name, value]) =>
    value === null || value === "" || value === "-" ? [] : [[name, escapeText(value)] as const],
  );
