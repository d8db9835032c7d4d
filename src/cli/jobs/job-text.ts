import { escapeText } from "../../base/escape-text.ts";
import { formatMib } from "../../base/sizes.ts";
import type { WireJob } from "../../wire/job.ts";
import type { WireAttempt } from "../../wire/job-fields/retries.ts";
import type { JobLink } from "../../wire/links/link-paths.ts";
import { describeWandbRun } from "../../wire/wandb-text.ts";
import { createCommandList } from "../lists/command-list.ts";
import { formatMoment, formatRecent, nameZones } from "../terminal/clock.ts";
import { formatDuration } from "../terminal/duration.ts";
import { print, printTable } from "../terminal/output.ts";
import { truncateText } from "../terminal/text-width.ts";
import { listGpuFacts } from "./facts/gpu-facts.ts";
import { listLimitFacts } from "./facts/limit-facts.ts";
import { describeNext, findReason } from "./job-ending.ts";
import { describeFiles, hasFiles, listNotes } from "./kept-text.ts";

const NOTE_WIDTH = 120;

export const formatGpus = (job: WireJob): string => {
  if (job.num_gpus === 0) return "cpu";
  return job.gpu_idxs.length > 0 ? job.gpu_idxs.join(",") : `any ${job.num_gpus}`;
};

const tellRun = ({ wandb_url, wandb_note }: WireJob): string | null => describeWandbRun(wandb_url, wandb_note ?? null);

const nowSeconds = (): number => Date.now() / 1000;

const formatRuntime = (job: WireJob): string =>
  job.started_at === null ? "-" : formatDuration((job.completed_at ?? nowSeconds()) - job.started_at);

const describeInputWait = (job: WireJob): string | null =>
  job.waits_for_input_since ? `waits for input: nx attach ${job.id}` : null;

const joinParts = (parts: readonly (string | null)[]): string | null => {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : known.join("; ");
};

const showNote = ({ note = null }: WireJob): string | null => (note === null ? null : truncateText(note, NOTE_WIDTH));

const describeHold = ({ held, begin_at: beginAt }: WireJob, now: number): string | null => {
  if (held) return "held";
  return beginAt !== null && beginAt !== undefined && beginAt > now ? `from ${formatMoment(beginAt)}` : null;
};

/** What keeps a queued job from its turn, as far as the job itself says it; null where nothing does. */
export const describeDelay = (job: WireJob, now: number = nowSeconds()): string | null =>
  joinParts([describeHold(job, now), describeNext(job)]);

const describeQueued = (job: WireJob): string | null => joinParts([describeDelay(job), showNote(job)]);

const describeTry = ({ attempts = [], retry = null }: WireJob): string | null =>
  attempts.length < 2 ? null : `attempt ${attempts.length} of ${Math.max(attempts.length, (retry?.count ?? 0) + 1)}`;

const describeState = (job: WireJob): string | null =>
  joinParts([describeTry(job), showNote(job), describeInputWait(job), tellRun(job)]);

const fitCommands = (jobs: readonly WireJob[]): ((row: number, width: number) => string) => {
  const shorten = createCommandList(jobs);
  return (row, width) => {
    const job = jobs[row];
    return job === undefined ? "" : shorten(job, width);
  };
};

export const printRunning = (jobs: readonly WireJob[]): void =>
  printTable(
    ["ID", "USER", "GPU", "RUNTIME", "COMMAND"],
    jobs.map((job) => [job.id, job.user, formatGpus(job), formatRuntime(job)]),
    { fitLast: fitCommands(jobs), notes: jobs.map(describeState) },
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
    ]),
    { fitLast: fitCommands(jobs), notes: jobs.map(describeQueued) },
  );

const formatResult = (job: WireJob): string => (job.exit_code === null ? job.status : `${job.status} ${job.exit_code}`);

const printReasons = (jobs: readonly WireJob[]): void => {
  const explained = jobs.flatMap((job) => {
    const reason = findReason(job);
    return reason === null ? [] : [[job.id, reason]];
  });
  if (explained.length === 0) return;
  print("");
  printTable(["ID", "WHY"], explained);
};

export const printEnded = (jobs: readonly WireJob[]): void => {
  const now = nowSeconds();
  const zones = nameZones(
    jobs.map(({ completed_at }) => completed_at),
    now,
  );
  printTable(
    ["ID", "USER", "RESULT", `ENDED (${zones})`, "RUNTIME", "COMMAND"],
    jobs.map((job) => [job.id, job.user, formatResult(job), formatRecent(job.completed_at, now), formatRuntime(job)]),
    { fitLast: fitCommands(jobs), notes: jobs.map(showNote) },
  );
  printReasons(jobs);
};

const listNext = (job: WireJob): string => {
  switch (job.status) {
    case "queued":
      return `${job.held ? `nx release ${job.id} · ` : ""}nx edit ${job.id} · nx remove ${job.id}`;
    case "running":
      return `nx logs -F ${job.id} · nx attach ${job.id} · nx kill ${job.id}`;
    case "completed":
    case "failed":
    case "killed":
      return `nx logs ${job.id} · nx redo ${job.id}${hasFiles(job) ? ` · nx files ${job.id} · nx pull ${job.id}` : ""}`;
  }
};

const describeBatch = ({ batch_id: id = null, batch_max: max = null }: Partial<WireJob>): string | null =>
  max === null ? null : `@${id}, of which ${max} may run at once`;

const describeBooked = (amount: string | null, isEnforced: boolean): string | null =>
  amount === null ? null : `${amount} booked${isEnforced ? "" : ", not enforced"}`;

type Facts = readonly (readonly [string, string | null])[];

const listHostFacts = (job: WireJob, isEnforced: boolean): Facts => [
  ["cpus", describeBooked(job.cpus ? String(job.cpus) : null, isEnforced)],
  ["memory", describeBooked(job.memory_mib ? formatMib(job.memory_mib) : null, isEnforced)],
];

const describeRetries = ({ retry = null }: WireJob): string | null =>
  retry === null ? null : `at most ${retry.count} ${retry.count === 1 ? "time" : "times"}: ${retry.causes.join(", ")}`;

const describeAttempt = ({ started_at, ended_at, gpu_idxs, exit_code, reason }: WireAttempt): string =>
  [
    formatMoment(started_at),
    ended_at === null ? "running" : formatDuration(ended_at - started_at),
    ...(gpu_idxs.length === 0 ? [] : [`GPU ${gpu_idxs.join(",")}`]),
    ...(exit_code === null ? [] : [`exit code ${exit_code}`]),
    ...(reason === null ? [] : [reason]),
  ].join(" · ");

const listAttempts = (job: WireJob): readonly (readonly [string, string | null])[] => {
  const { attempts = [], retry = null } = job;
  if (retry === null && attempts.length < 2) return [];
  const told = attempts.map((one, index) => ["attempt", `${index + 1} · ${describeAttempt(one)}`] as const);
  return [["retry", describeRetries(job)], ...told];
};

const listFacts = (job: WireJob, isEnforced: boolean): Facts => [
  ["id", job.id],
  ["name", job.name ?? null],
  ["note", job.note ?? null],
  ["status", formatResult(job)],
  ["input", describeInputWait(job)],
  ["held", job.held ? "yes" : null],
  ["after", (job.after ?? []).join(" ")],
  ["after any", (job.after_any ?? []).join(" ")],
  ["begins", job.status === "queued" ? formatMoment(job.begin_at ?? null) : null],
  ["error", findReason(job)],
  ["command", job.command],
  ["user", job.user],
  ["gpus", formatGpus(job)],
  ...listGpuFacts(job),
  ...listHostFacts(job, isEnforced),
  ["priority", String(job.priority)],
  ...listLimitFacts(job),
  ["batch", describeBatch(job)],
  ...listAttempts(job),
];

export const describeCommit = ({ git_commit: commit = null, git_dirty: isDirty }: WireJob): string | null =>
  commit === null || !isDirty ? commit : `${commit} with changes`;

/** Of a server of an earlier version only those of a job that has not ended. */
export const listVariables = ({ env, env_names: names }: WireJob): readonly string[] => names ?? Object.keys(env);

export const describeLink = ({ path, target }: JobLink): string => `${path} -> ${target}`;

const listOrigin = (job: WireJob): readonly (readonly [string, string | null])[] => [
  ["git", [job.git_repo_url, job.git_branch, job.git_tag].filter((part) => part !== null).join(" ")],
  ["commit", describeCommit(job)],
  ["tree", job.git_tree ?? null],
  ["workdir", job.workdir ?? null],
  ["stdin", job.input_artifact_id ?? null],
  ["env", listVariables(job).join(" ")],
  ...(job.links ?? []).map((link) => ["link", describeLink(link)] as const),
  ["carried", (job.carried_names ?? []).join(" ")],
  ["w&b", tellRun(job)],
  ["files", describeFiles(job)],
  ...listNotes(job).map((note) => ["note", note] as const),
  ["folder", job.dir],
  ["session", job.status === "running" ? job.screen_session_name : null],
  ["next", listNext(job)],
];

const listTimes = (job: WireJob): readonly (readonly [string, string])[] => [
  ["created", formatMoment(job.created_at)],
  ["started", formatMoment(job.started_at)],
  ["ended", formatMoment(job.completed_at)],
  ["runtime", formatRuntime(job)],
];

/** Name and text of each fact that is known of the job; `isEnforced`: it is kept to the CPUs and the memory that it booked. */
export const describeJob = (job: WireJob, isEnforced = false): readonly (readonly [string, string])[] =>
  [...listFacts(job, isEnforced), ...listTimes(job), ...listOrigin(job)].flatMap(([name, value]) =>
    value === null || value === "" || value === "-" ? [] : [[name, escapeText(value)] as const],
  );
