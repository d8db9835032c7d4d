import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { UNREACHABLE } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import type { ApiFailure } from "../connection/api-failure.ts";
import { askJobs } from "./ask-job.ts";

export type IsIt = (job: WireJob) => boolean;
type ServerEvent = Readonly<{ name: string; data: string }>;

const RECONNECT_MS = 500;
const MAX_ATTEMPTS = 60;

export const isEnded: IsIt = ({ status }) => status !== "queued" && status !== "running";

/** The same server, but none is started where it has gone. */
export const stayWith = (api: Api): Api => createApi({ ...api.target, autostart: false });

export const pauseBeforeRetry = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));

/** Whether to give up, after so many failures in a row. */
export const isHopeless = (failure: Failure, misses: number): boolean =>
  failure.exitCode !== UNREACHABLE || misses >= MAX_ATTEMPTS;

/** The server has no room for another stream just now. */
export const isBusy = ({ code }: ApiFailure): boolean => code === "UNAVAILABLE" || code === "TOO_MANY_REQUESTS";

const parseEvent = (block: string): ServerEvent => {
  const lines = block.split("\n");
  const read = (field: string): string =>
    lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2) ?? "";
  return { name: read("event"), data: read("data") };
};

const splitEvents = async function* (stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    yield* blocks.map(parseEvent);
  }
};

type Pending = Map<string, readonly IsIt[]>;
type Waiting = Readonly<{ api: Api; pending: Pending; signal: AbortSignal }>;
type Found = AsyncGenerator<Result<WireJob, ApiFailure>, ApiFailure | null>;

const listConcerned = ({ name, data }: ServerEvent, { pending }: Waiting): readonly string[] => {
  if (name === "resync") return [...pending.keys()];
  if (name !== "job" && name !== "job_removed") return [];
  const named = [...data.matchAll(/"id":"([^"]+)"/g)].map(([, id = ""]) => id);
  return [...new Set(named)].filter((id) => pending.has(id));
};

const reachStates = (pending: Pending, id: string, job: WireJob): boolean => {
  const states = pending.get(id) ?? [];
  const left = states.filter((isIt) => !isIt(job));
  if (left.length === 0) pending.delete(id);
  else pending.set(id, left);
  return left.length < states.length;
};

const lookAt = async function* ({ api, pending }: Waiting, ids: readonly string[]): Found {
  const jobs = await askJobs(api, ids);
  if (!jobs.ok) return jobs.error;
  for (const [index, job] of jobs.value.entries()) if (reachStates(pending, ids[index] ?? "", job)) yield ok(job);
  return null;
};

const hear = async function* (waiting: Waiting, stream: ReadableStream<Uint8Array>): Found {
  const events = splitEvents(stream);
  for (let ids: readonly string[] = [...waiting.pending.keys()]; ; ) {
    const failure = yield* lookAt(waiting, ids);
    if (failure !== null || waiting.pending.size === 0) return failure;
    const event = await events.next();
    if (event.done) return null;
    ids = listConcerned(event.value, waiting);
  }
};

const listenOnce = async function* (waiting: Waiting): Found {
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, waiting.signal]);
  const stream = await waiting.api.stream("/v1/events", signal);
  if (!stream.ok) return isBusy(stream.error) ? yield* lookAt(waiting, [...waiting.pending.keys()]) : stream.error;
  try {
    return yield* hear(waiting, stream.value);
  } catch {
    return { exitCode: UNREACHABLE, code: null, message: "the connection broke" };
  } finally {
    closing.abort();
  }
};

/**
 * Each job whenever it comes into one of the states, in the order in which they do, until it has been in all of them; and what ends the waiting early. By the server's events, not by
 * asking; a server that is restarted meanwhile is waited for. It ends without a word after the signal.
 */
export const awaitJobs = async function* (
  api: Api,
  { ids, states, signal }: Readonly<{ ids: readonly string[]; states: readonly IsIt[]; signal: AbortSignal }>,
): AsyncGenerator<Result<WireJob, ApiFailure>> {
  const waiting = { api: stayWith(api), pending: new Map(ids.map((id) => [id, states])), signal };
  const goesOn = (): boolean => waiting.pending.size > 0 && !signal.aborted;
  for (let misses = 0; goesOn(); ) {
    const failure = yield* listenOnce(waiting);
    misses = failure === null ? 0 : misses + 1;
    if (failure !== null && isHopeless(failure, misses)) return yield err(failure);
    if (goesOn()) await pauseBeforeRetry();
  }
};

export const awaitJob = async (api: Api, id: string, isIt: IsIt): Promise<Result<WireJob, Failure>> => {
  for await (const job of awaitJobs(api, { ids: [id], states: [isIt], signal: new AbortController().signal }))
    return job;
  throw new Error(`the waiting for job ${id} ended without a word`);
};
