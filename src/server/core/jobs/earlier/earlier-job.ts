import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { type EndedJob, type Job, type JobHandle, type JobId, type Launch, NO_OUTPUTS, type Reports } from "../job.ts";
import {
  type EarlierRow,
  isRowSwitch,
  readRowIndexes,
  readRowNumber,
  readRowText,
  readRowTexts,
  readRowWhole,
  type Texts,
} from "./earlier-row.ts";
import { type EarlierSpec, readEarlierSpec, type SpecFacts } from "./earlier-spec.ts";

/** A live session of a job, and what it tells of its launch; its `dir` is where it runs, whatever the row says. */
export type EarlierSession = Readonly<{ handle: JobHandle }> & Pick<Launch, "dir" | "startedAt" | "gpuIdxs">;

/** `session` is null where none lives; `describeGone` is the handle of one that does not; `now` in Unix seconds. */
export type EarlierFacts = SpecFacts &
  Readonly<{
    session: EarlierSession | null;
    describeGone: (pid: number, startedAt: number) => JobHandle;
    now: number;
  }>;

/** `env` is what is kept of its environment. */
export type TakenJob = Readonly<{ job: Job; env: Texts }>;

type Taking = EarlierSpec & Readonly<{ row: EarlierRow; facts: EarlierFacts }>;

const JOB_ID = /^[a-z0-9-]{1,64}$/;
const NO_PID = 0;

const findStart = ({ row, spec }: Taking): number => readRowNumber(row, "started_at") ?? spec.createdAt;

const describeReports = (row: EarlierRow): Reports => ({
  wandbUrl: readRowText(row, "wandb_url"),
  notificationMessages: readRowTexts(row, "notification_messages") ?? {},
});

const describeLaunch = (taking: Taking): Launch => ({
  startedAt: findStart(taking),
  gpuIdxs: readRowIndexes(taking.row, "gpu_idxs") ?? [],
  dir: taking.facts.session?.dir ?? readRowText(taking.row, "dir") ?? "",
  markedForKill: isRowSwitch(taking.row, "marked_for_kill"),
});

const tellWhere = (dir: string): readonly string[] => [
  `What it makes stays in ${dir}/repo, where the earlier Nexus began it: nx files and nx pull know nothing of it`,
];

const takeRunning = (taking: Taking): TakenJob => {
  const { row, spec, env, facts } = taking;
  const launch = describeLaunch(taking);
  const handle = facts.session?.handle ?? facts.describeGone(readRowWhole(row, "pid") ?? NO_PID, launch.startedAt);
  const notes = facts.session === null ? spec.notes : tellWhere(launch.dir);
  return { job: { ...spec, ...launch, ...describeReports(row), notes, status: "running", handle }, env };
};

const takeStarted = ({ spec, env }: Taking, session: EarlierSession): TakenJob => {
  const reports = { wandbUrl: null, notificationMessages: {} };
  const notes = tellWhere(session.dir);
  return { job: { ...spec, ...session, ...reports, notes, markedForKill: false, status: "running" }, env };
};

type End = Pick<EndedJob, "status" | "completedAt" | "exitCode" | "errorMessage">;

const end = (taking: Taking, ending: End): TakenJob => {
  const { row, spec } = taking;
  const ended = { ...describeReports(row), ...ending, handle: null, outputs: NO_OUTPUTS };
  return { job: { ...spec, ...describeLaunch(taking), ...ended }, env: {} };
};

const takeQueued = (taking: Taking): TakenJob => {
  const { spec, env, trouble, facts } = taking;
  if (facts.session !== null) return takeStarted(taking, facts.session);
  if (trouble === null) return { job: { ...spec, status: "queued" }, env };
  const errorMessage = `Not run: when it was taken over from the earlier Nexus, ${trouble}`;
  return end(taking, { status: "failed", completedAt: facts.now, exitCode: null, errorMessage });
};

const takeEnded = (taking: Taking, status: EndedJob["status"]): TakenJob => {
  const { row } = taking;
  const completedAt = readRowNumber(row, "completed_at") ?? findStart(taking);
  const exitCode = readRowWhole(row, "exit_code");
  return end(taking, { status, completedAt, exitCode, errorMessage: readRowText(row, "error_message") });
};

/** The job that a row of the earlier Nexus is here; an error where it can be none. */
export const takeJob = (row: EarlierRow, facts: EarlierFacts): Result<TakenJob, Problem> => {
  const id = readRowText(row, "id") ?? "";
  if (!JOB_ID.test(id)) return err({ message: "its id can be none here" });
  const read = readEarlierSpec(row, id as JobId, facts);
  const taking = { row, facts, ...read, spec: { ...read.spec, takenOverAt: facts.now } };
  const { status } = row;
  switch (status) {
    case "queued":
      return ok(takeQueued(taking));
    case "running":
      return ok(takeRunning(taking));
    case "completed":
    case "failed":
    case "killed":
      return ok(takeEnded(taking, status));
    default:
      return err({ message: `its status, ${JSON.stringify(status)}, is not known here` });
  }
};

const STEP_S = 1e-6;

/** The same jobs in the same order; those that wait have times that tell it, too. */
export const orderTaken = (taken: readonly TakenJob[]): readonly TakenJob[] => {
  let last = Number.NEGATIVE_INFINITY;
  return taken.map((one) => {
    const { job } = one;
    if (job.status !== "queued") return one;
    last = Math.max(job.createdAt, last + STEP_S);
    return { ...one, job: { ...job, createdAt: last } };
  });
};
