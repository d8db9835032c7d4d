import { err, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { UNREACHABLE } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import type { ApiFailure, ApiResult } from "../connection/api-failure.ts";
import { readOutputs } from "./kept-text.ts";

export type IsIt = (job: WireJob) => boolean;
type ServerEvent = Readonly<{ name: string; data: string }>;
type Wanted = Readonly<{ id: string; isIt: IsIt }>;

const RECONNECT_MS = 500;
const MAX_ATTEMPTS = 60;

export const isEnded: IsIt = ({ status }) => status !== "queued" && status !== "running";

/** It has ended, and what it made is kept, as far as it can be. */
export const isSettled: IsIt = (job) => isEnded(job) && readOutputs(job)?.state !== "moving";

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

const isConcerned = ({ name, data }: ServerEvent, id: string): boolean =>
  name === "resync" || ((name === "job" || name === "job_removed") && data.includes(`"id":"${id}"`));

const readUntil = async (
  api: Api,
  { id, isIt }: Wanted,
  stream: ReadableStream<Uint8Array>,
): Promise<Result<WireJob, ApiFailure>> => {
  let job = await api.get<WireJob>(`/v1/jobs/${id}`);
  if (!job.ok || isIt(job.value)) return job;
  for await (const event of splitEvents(stream)) {
    if (!isConcerned(event, id)) continue;
    job = await api.get<WireJob>(`/v1/jobs/${id}`);
    if (!job.ok || isIt(job.value)) return job;
  }
  return job;
};

const listenOnce = async (api: Api, wanted: Wanted): ApiResult<WireJob> => {
  const controller = new AbortController();
  const stream = await api.stream("/v1/events", controller.signal);
  if (!stream.ok) return isBusy(stream.error) ? api.get<WireJob>(`/v1/jobs/${wanted.id}`) : stream;
  try {
    return await readUntil(api, wanted, stream.value);
  } catch {
    return err({ exitCode: UNREACHABLE, code: null, message: "the connection broke" });
  } finally {
    controller.abort();
  }
};

/** Waits by the server's events, not by asking; a server that is restarted meanwhile is waited for. */
export const awaitJob = async (api: Api, id: string, isIt: IsIt): Promise<Result<WireJob, Failure>> => {
  const same = stayWith(api);
  for (let misses = 0; ; ) {
    const job = await listenOnce(same, { id, isIt });
    if (job.ok && isIt(job.value)) return job;
    misses = job.ok ? 0 : misses + 1;
    if (!job.ok && isHopeless(job.error, misses)) return job;
    await pauseBeforeRetry();
  }
};
