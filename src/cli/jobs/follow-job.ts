import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, Outcome } from "../../command-line/command.ts";
import { addHint, INTERRUPTED, UNREACHABLE } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";
import { isBusy, isEnded, isHopeless, pauseBeforeRetry, stayWith } from "./await-job.ts";
import { chooseExitCode, describeEnding, describeNext } from "./job-ending.ts";
import { createLogViewer, type LogView, type LogViewer } from "./log-viewer.ts";
import { sayKept } from "./say-kept.ts";

const reportEnd = (job: WireJob): void => {
  if (job.status !== "completed" || isTerminal("errors")) hint(describeEnding(job));
};

const sayRetry = (job: WireJob): void => {
  const reason = describeNext(job);
  if (reason !== null) hint(reason);
};

type Listener = Readonly<{ viewer: LogViewer; signal: AbortSignal }>;

const listenOnce = async (api: Api, id: string, { viewer, signal }: Listener): Promise<Result<WireJob, Failure>> => {
  const answer = await api.open(`/v1/jobs/${id}/logs/stream?${viewer.query()}`, signal);
  if (!answer.ok) return isBusy(answer.error) ? api.get<WireJob>(`/v1/jobs/${id}`) : answer;
  try {
    await viewer.take(answer.value);
  } catch {
    return err({ exitCode: UNREACHABLE, message: "the connection broke" });
  }
  return api.get<WireJob>(`/v1/jobs/${id}`);
};

const isDone = (job: Result<WireJob, Failure>, { viewer, signal }: Listener): boolean =>
  signal.aborted || (job.ok && isEnded(job.value) && viewer.isLast(job.value));

const rest = async (job: Result<WireJob, Failure>, { viewer }: Listener): Promise<void> => {
  if (!job.ok) return pauseBeforeRetry();
  if (viewer.turnOver(job.value)) sayRetry(job.value);
  else if (!viewer.isAtMark()) await pauseBeforeRetry();
};

const listenUntilEnd = async (api: Api, id: string, listener: Listener): Promise<Result<WireJob, Failure>> => {
  for (let misses = 0; ; ) {
    const job = await listenOnce(api, id, listener);
    if (isDone(job, listener)) return job;
    misses = job.ok ? 0 : misses + 1;
    if (!job.ok && isHopeless(job.error, misses)) return job;
    await rest(job, listener);
  }
};

type Interrupt = Readonly<{ signal: AbortSignal; ignore: () => void }>;

export const listenForInterrupt = (id: string): Interrupt => {
  const controller = new AbortController();
  const leave = (): void => {
    hint(`\nDetached; job ${id} goes on. Come back with: nx logs -F ${id}`);
    controller.abort();
  };
  process.once("SIGINT", leave);
  return { signal: controller.signal, ignore: () => void process.off("SIGINT", leave) };
};

const WHOLE: LogView = { lastLines: null };

/** Shows the log as it grows, until the job ends or Ctrl-C. A server that is restarted meanwhile is waited for. */
export const followJob = async (api: Api, id: string, view: LogView = WHOLE): Promise<Outcome> => {
  const { signal, ignore } = listenForInterrupt(id);
  const viewer = createLogViewer(view);
  const ended = await listenUntilEnd(stayWith(api), id, { viewer, signal });
  if (signal.aborted) return ok(INTERRUPTED);
  ignore();
  viewer.end();
  if (!ended.ok) return err(addHint(ended.error, `come back with: nx logs -F ${id}`));
  reportEnd(ended.value);
  await sayKept(api, ended.value);
  return ok(chooseExitCode(ended.value));
};
