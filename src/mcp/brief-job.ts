import type { ExplainedJob, WireJob } from "../wire/job.ts";
import type { Facts } from "./tool.ts";

const MAX_COMMAND = 200;
const MAX_REASON = 500;

export const cutText = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} more characters)`;

const isKnown = (value: unknown): boolean =>
  value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);

/** Without what is null or empty: an agent pays for each character. */
export const leaveOutUnknown = (facts: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => isKnown(value)));

const countSeconds = ({ started_at: from, completed_at: to }: WireJob, now: number): number | null =>
  from === null ? null : Math.round(Math.max(0, (to ?? now) - from));

const describeGpus = ({ status, gpu_idxs: idxs, num_gpus: count }: WireJob): Facts =>
  status === "queued" || idxs.length === 0 ? { gpus: count } : { on_gpus: idxs };

const describeResult = ({ exit_code: code, error_message: message, notes }: WireJob): Facts => ({
  exit_code: code,
  reason: message === null ? null : cutText(message, MAX_REASON),
  notes: notes ?? [],
});

/** How it ended, or where it stands. */
export const describeState = (job: WireJob, now: number): Facts =>
  leaveOutUnknown({
    id: job.id,
    status: job.status,
    ...describeResult(job),
    seconds: countSeconds(job, now),
    waits_for_input: job.waits_for_input_since ? true : null,
  });

/** What of a job is worth reading in a list. */
export const describeBriefly = (job: ExplainedJob, now: number): Facts =>
  leaveOutUnknown({
    ...describeState(job, now),
    user: job.user,
    ...describeGpus(job),
    command: cutText(job.command, MAX_COMMAND),
    why: job.why,
    wandb_url: job.wandb_url,
  });

export const readNow = (): number => Date.now() / 1000;
