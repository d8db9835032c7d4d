import { err, ok, type Result } from "../../base/result.ts";
import type { JobRequest } from "../../wire/job.ts";
import { type Job, type JobId, listArtifacts, type QueuedJob } from "../core/jobs/job.ts";
import { checkAgentLimits } from "../core/queue/agent-share.ts";
import { checkQueueLimits } from "../core/queue/queue-limits.ts";
import { createRefusal, type Refusal } from "../core/refusal.ts";
import type { Transaction } from "../core/store.ts";
import { readAgentUse } from "./agent-use.ts";
import type { SubmitContext } from "./context.ts";

export type Submission = Readonly<{ request: JobRequest; job: QueuedJob }>;

/** `jobs` has one entry for each request, in its order; `created` are those that are new. */
export type Submitted = Readonly<{ jobs: readonly Job[]; created: readonly QueuedJob[] }>;

type Placement =
  | Readonly<{ isNew: true; job: QueuedJob; request: JobRequest }>
  | Readonly<{ isNew: false; job: Job; request: JobRequest }>;
type PlaceContext = Pick<SubmitContext, "newJobId" | "settings" | "store" | "clock">;
type Placed = ReadonlyMap<JobId, Placement>;

const MAX_ID_ATTEMPTS = 1000;

const chooseId = (transaction: Transaction, placed: Placed, first: JobId, newJobId: () => JobId): JobId => {
  let candidate = first;
  for (let attempt = 0; attempt < MAX_ID_ATTEMPTS; attempt += 1) {
    if (!placed.has(candidate) && transaction.findJob(candidate) === null) return candidate;
    candidate = newJobId();
  }
  throw new Error("No free job id was found");
};

const findSame = (transaction: Transaction, placed: Placed, { request, job }: Submission): Placement | null => {
  const planned = placed.get(job.id);
  if (planned !== undefined) return planned;
  const stored = transaction.findJob(job.id);
  return stored === null ? null : { isNew: false, job: stored, request };
};

const placeJob = (
  transaction: Transaction,
  placed: Placed,
  submission: Submission,
  newJobId: () => JobId,
): Result<Placement, Refusal> => {
  const { request, job } = submission;
  const same = request.job_id ? findSame(transaction, placed, submission) : null;
  if (same !== null) {
    const isRetry = same.job.requestDigest === job.requestDigest;
    return isRetry ? ok(same) : err(createRefusal("JOB_EXISTS", `Another job is called ${job.id}`));
  }
  const missing = listArtifacts(job).find((id) => !transaction.hasArtifact(id));
  if (missing !== undefined) return err(createRefusal("ARTIFACT_NOT_FOUND", `There is no artifact ${missing}`));
  const id = request.job_id ? job.id : chooseId(transaction, placed, job.id, newJobId);
  return ok({ isNew: true, job: { ...job, id }, request });
};

const insertNew = (
  transaction: Transaction,
  placed: Placed,
  { settings, store, clock }: PlaceContext,
): Result<readonly QueuedJob[], Refusal> => {
  const fresh = [...placed.values()].filter((placement) => placement.isNew);
  const waiting = fresh.filter(({ request }) => !request.run_immediately).map(({ job }) => job);
  const within = checkQueueLimits(waiting, transaction.countQueued, settings);
  if (!within.ok) return within;
  const asked = fresh.map(({ job, request }) => ({ ...job, isNow: request.run_immediately }));
  const shared = checkAgentLimits(asked, (user) =>
    readAgentUse(store, transaction.countQueued, { user, now: clock() }),
  );
  if (!shared.ok) return shared;
  for (const { job, request } of fresh) transaction.insertJob(job, request.env);
  const batchId = fresh[0]?.job.batchId;
  if (batchId !== undefined) transaction.outbox.openBatch(batchId, fresh.length);
  return ok(fresh.map(({ job }) => job));
};

/** Inserts all new jobs, or none and says why. */
export const placeJobs = (
  transaction: Transaction,
  submissions: readonly Submission[],
  context: PlaceContext,
): Result<Submitted, Refusal> => {
  const placed = new Map<JobId, Placement>();
  const jobs: Job[] = [];
  for (const submission of submissions) {
    const placement = placeJob(transaction, placed, submission, context.newJobId);
    if (!placement.ok) return placement;
    placed.set(placement.value.job.id, placement.value);
    jobs.push(placement.value.job);
  }
  const created = insertNew(transaction, placed, context);
  return created.ok ? ok({ jobs, created: created.value }) : created;
};
