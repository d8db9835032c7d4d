import { err, ok, type Result } from "../../base/result.ts";
import type { JobRequest } from "../../wire/job.ts";
import { type Job, type JobId, listArtifacts, type QueuedJob } from "../core/jobs/job.ts";
import { checkAgentLimits } from "../core/queue/agent-share.ts";
import { checkQueueLimits } from "../core/queue/queue-limits.ts";
import { checkUserLimits, NO_LIMITS } from "../core/queue/user-limits.ts";
import { createRefusal, type Refusal } from "../core/refusal.ts";
import type { Environment, Transaction } from "../core/store.ts";
import { readAgentUse } from "./agent-use.ts";
import { applyChange } from "./change-job.ts";
import type { SubmitContext } from "./context.ts";
import { checkNeeds, hasAnyNeed, linkNeeds } from "./dependents.ts";
import type { Changed } from "./record-change.ts";

/** `leastGpus`: what it counts as at least of those of its user. */
export type Submission = Readonly<{ request: JobRequest; job: QueuedJob; leastGpus: number }>;

/** `jobs` has one entry for each request, in its order; `created` are those that are new, `ended` those of them that can't start any more. */
export type Submitted = Readonly<{ jobs: readonly Job[]; created: readonly QueuedJob[]; ended: readonly Changed[] }>;

type Placement = (Readonly<{ isNew: true }> & Submission) | Readonly<{ isNew: false; job: Job; request: JobRequest }>;
type PlaceContext = SubmitContext;
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

const readAlso = (transaction: Transaction, placed: Placed): Transaction => ({
  ...transaction,
  readStatus: (id) => placed.get(id)?.job.status ?? transaction.readStatus(id),
});

const placeJob = (
  transaction: Transaction,
  placed: Placed,
  submission: Submission,
  newJobId: () => JobId,
): Result<Placement, Refusal> => {
  const { request, job, leastGpus } = submission;
  const same = request.job_id ? findSame(transaction, placed, submission) : null;
  if (same !== null) {
    const isRetry = same.job.requestDigest === job.requestDigest;
    return isRetry ? ok(same) : err(createRefusal("JOB_EXISTS", `Another job is called ${job.id}`));
  }
  const missing = listArtifacts(job).find((id) => !transaction.hasArtifact(id));
  if (missing !== undefined) return err(createRefusal("ARTIFACT_NOT_FOUND", `There is no artifact ${missing}`));
  const needed = checkNeeds(readAlso(transaction, placed), null, job);
  if (!needed.ok) return needed;
  const id = request.job_id ? job.id : chooseId(transaction, placed, job.id, newJobId);
  return ok({ isNew: true, job: { ...job, id }, request, leastGpus });
};

const insertOne = (
  transaction: Transaction,
  job: QueuedJob,
  { context, env }: Readonly<{ context: PlaceContext; env: Environment }>,
): readonly Changed[] => {
  transaction.insertJob(job, env);
  if (!hasAnyNeed(job)) return [];
  const after = linkNeeds(transaction, job, job.createdAt);
  const linked = applyChange(context, transaction, job.id, () => ok({ after, reason: "it waits for other jobs" }));
  return linked.ok && after.status !== "queued" ? [linked.value] : [];
};

const insertNew = (
  transaction: Transaction,
  placed: Placed,
  context: PlaceContext,
): Result<Pick<Submitted, "created" | "ended">, Refusal> => {
  const { settings, store, clock } = context;
  const fresh = [...placed.values()].filter((placement) => placement.isNew);
  const waiting = fresh
    .filter(({ request }) => !request.run_immediately)
    .map(({ job, leastGpus }) => ({ ...job, numGpus: leastGpus }));
  const allowed = checkUserLimits(waiting, settings.limitsOf ?? NO_LIMITS);
  if (!allowed.ok) return allowed;
  const within = checkQueueLimits(waiting, transaction.countQueued, settings);
  if (!within.ok) return within;
  const asked = fresh.map(({ job, request }) => ({ ...job, isNow: request.run_immediately }));
  const shared = checkAgentLimits(asked, (user) =>
    readAgentUse(store, transaction.countQueued, { user, now: clock() }),
  );
  if (!shared.ok) return shared;
  const batchId = fresh[0]?.job.batchId;
  if (batchId !== undefined) transaction.outbox.openBatch(batchId, fresh.length);
  const ended = fresh.flatMap(({ job, request }) => insertOne(transaction, job, { context, env: request.env }));
  return ok({ created: fresh.map(({ job }) => job), ended });
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
  if (!created.ok) return created;
  const current = jobs.map((job) => (hasAnyNeed(job) ? (transaction.findJob(job.id) ?? job) : job));
  return ok({ jobs: current, ...created.value });
};
