import { ok, type Result } from "../base/result.ts";
import type { WireJob } from "../wire/job.ts";
import { isSettled } from "../wire/jobs/settled.ts";
import type { Ask, Trouble } from "./ask.ts";
import type { ToolContext } from "./tool.ts";

/** `job` is null once it was taken out of the queue. */
export type Awaited = Readonly<{ id: string; job: WireJob | null }>;

type Ended = Readonly<{ jobs: readonly Awaited[]; isTimedOut: boolean }>;
type Wanted = Readonly<{ timeoutS: number; isAny: boolean }>;
type Watched = { jobs: readonly Awaited[] };
type Watch = Readonly<{
  ask: Ask;
  ids: readonly string[];
  isAny: boolean;
  signal: AbortSignal;
  seen: Watched;
}>;

const RETRY_MS = 500;
const REPORT_MS = 10_000;
const MAX_MISSES = 60;
const ID_TAIL = 100;
const LASTING = ["TOO_MANY_REQUESTS", "UNAVAILABLE", "NOT_LISTENING", null];

const isOver = ({ job }: Awaited): boolean => job === null || isSettled(job);

const isEnough = ({ isAny, seen }: Watch): boolean => (isAny ? seen.jobs.some(isOver) : seen.jobs.every(isOver));

const readJob = async (ask: Ask, id: string, wasThere: boolean): Promise<Result<Awaited, Trouble>> => {
  const job = await ask.get<WireJob>(`/v1/jobs/${id}`);
  if (job.ok) return ok({ id, job: job.value });
  return wasThere && job.error.code === "JOB_NOT_FOUND" ? ok({ id, job: null }) : job;
};

const readAll = async ({ ask, ids, seen }: Watch): Promise<Result<void, Trouble>> => {
  const before = seen.jobs;
  const jobs: Awaited[] = [];
  for (const [index, id] of ids.entries()) {
    const known = before[index];
    const read = known !== undefined && isOver(known) ? ok(known) : await readJob(ask, id, known !== undefined);
    if (!read.ok) return read;
    jobs.push(read.value);
  }
  seen.jobs = jobs;
  return ok(undefined);
};

const isConcerned = (text: string, { seen }: Watch): boolean =>
  text.includes("event: resync") || seen.jobs.some((one) => !isOver(one) && text.includes(`"id":"${one.id}"`));

const readEvents = async (watch: Watch, events: ReadableStream<Uint8Array>): Promise<Result<void, Trouble>> => {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of events) {
    text += decoder.decode(chunk, { stream: true });
    if (isConcerned(text, watch)) {
      const read = await readAll(watch);
      if (!read.ok || isEnough(watch)) return read;
    }
    text = text.slice(-ID_TAIL);
  }
  return ok(undefined);
};

const listen = async (watch: Watch): Promise<Result<void, Trouble>> => {
  const { signal } = watch;
  const closing = new AbortController();
  const events = await watch.ask.stream("/v1/events", AbortSignal.any([signal, closing.signal]));
  try {
    const read = await readAll(watch);
    if (!read.ok || isEnough(watch) || !events.ok) return read.ok && !events.ok ? events : read;
    return await readEvents(watch, events.value);
  } catch {
    return ok(undefined);
  } finally {
    closing.abort();
  }
};

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, RETRY_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

const isDone = (listened: Result<void, Trouble>, watch: Watch): boolean =>
  watch.signal.aborted || (listened.ok && isEnough(watch));

const mayPass = ({ code }: Trouble, { seen }: Watch): boolean => seen.jobs.length > 0 && LASTING.includes(code);

const listenUntilEnough = async (watch: Watch): Promise<Result<void, Trouble>> => {
  for (let misses = 0; ; ) {
    const listened = await listen(watch);
    if (isDone(listened, watch)) return ok(undefined);
    misses = listened.ok ? 0 : misses + 1;
    if (!listened.ok && (misses > MAX_MISSES || !mayPass(listened.error, watch))) return listened;
    await pause(watch.signal);
  }
};

const reportRegularly = (report: ToolContext["report"], { ids, seen }: Watch): (() => void) => {
  const tell = (): void => report(seen.jobs.filter(isOver).length, ids.length);
  tell();
  const timer = setInterval(tell, REPORT_MS);
  return () => clearInterval(timer);
};

/** Waits by the server's events, not by asking; a server that is restarted meanwhile is waited for. */
export const awaitJobs = async (
  context: ToolContext,
  ids: readonly string[],
  { timeoutS, isAny }: Wanted,
): Promise<Result<Ended, Trouble>> => {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), timeoutS * 1000);
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const watch: Watch = { ask: context.stay, ids, isAny, signal, seen: { jobs: [] } };
  const first = await readAll({ ...watch, ask: context.ask });
  const stopReporting = reportRegularly(context.report, watch);
  try {
    const done = first.ok && !isEnough(watch) && timeoutS > 0 ? await listenUntilEnough(watch) : first;
    return done.ok ? ok({ jobs: watch.seen.jobs, isTimedOut: !isEnough(watch) }) : done;
  } finally {
    clearTimeout(timer);
    stopReporting();
  }
};
