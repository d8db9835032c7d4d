import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, Outcome } from "../../command-line/command.ts";
import { INTERRUPTED, UNREACHABLE } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, write } from "../terminal/output.ts";
import { isBusy, isEnded, isHopeless, pauseBeforeRetry, stayWith } from "./await-job.ts";
import { chooseExitCode, describeEnding } from "./job-ending.ts";
import { createLogFilter } from "./log-filter.ts";

type Viewer = Readonly<{ take: (stream: ReadableStream<Uint8Array>) => Promise<void>; end: () => void }>;

const drain = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
  for await (const _chunk of stream);
};

const createViewer = (isWholeLog: boolean): Viewer => {
  const filter = createLogFilter(isTerminal("output"));
  const decoder = new TextDecoder();
  let shownBytes = 0;
  const take = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    if (shownBytes > 0 && !isWholeLog) return drain(stream);
    let skipped = shownBytes;
    for await (const chunk of stream) {
      const fresh = chunk.subarray(Math.min(skipped, chunk.length));
      skipped -= chunk.length - fresh.length;
      shownBytes += fresh.length;
      write(filter.push(decoder.decode(fresh, { stream: true })));
    }
  };
  return { take, end: () => write(filter.push(decoder.decode()) + filter.end()) };
};

const reportEnd = (job: WireJob): void => {
  if (job.status !== "completed" || isTerminal("errors")) hint(describeEnding(job));
};

type Listener = Readonly<{ query: string; take: Viewer["take"]; signal: AbortSignal }>;

const listenOnce = async (api: Api, id: string, listener: Listener): Promise<Result<WireJob, Failure>> => {
  const stream = await api.stream(`/v1/jobs/${id}/logs/stream${listener.query}`, listener.signal);
  if (!stream.ok) return isBusy(stream.error) ? api.get<WireJob>(`/v1/jobs/${id}`) : stream;
  try {
    await listener.take(stream.value);
  } catch {
    return err({ exitCode: UNREACHABLE, message: "the connection broke" });
  }
  return api.get<WireJob>(`/v1/jobs/${id}`);
};

const listenUntilEnd = async (api: Api, id: string, listener: Listener): Promise<Result<WireJob, Failure>> => {
  for (let misses = 0; ; ) {
    const job = await listenOnce(api, id, listener);
    if (listener.signal.aborted || (job.ok && isEnded(job.value))) return job;
    misses = job.ok ? 0 : misses + 1;
    if (!job.ok && isHopeless(job.error, misses)) return job;
    await pauseBeforeRetry();
  }
};

const listenForInterrupt = (id: string): AbortController => {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    hint(`\nDetached; job ${id} goes on. Come back with: nx logs -F ${id}`);
    controller.abort();
  });
  return controller;
};

/** Shows the log as it grows, until the job ends or Ctrl-C. A server that is restarted meanwhile is waited for. */
export const followJob = async (api: Api, id: string, lastLines: number | null): Promise<Outcome> => {
  const { signal } = listenForInterrupt(id);
  const viewer = createViewer(lastLines === null);
  const query = lastLines === null ? "" : `?last_n_lines=${lastLines}`;
  const ended = await listenUntilEnd(stayWith(api), id, { query, take: viewer.take, signal });
  if (signal.aborted) return ok(INTERRUPTED);
  viewer.end();
  if (!ended.ok) return err({ ...ended.error, message: `${ended.error.message}; come back with: nx logs -F ${id}` });
  reportEnd(ended.value);
  return ok(chooseExitCode(ended.value));
};
