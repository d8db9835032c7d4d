import { ok, type Result } from "../../base/result.ts";
import { REFUSED, UNREACHABLE } from "../../command-line/usage.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiFailure } from "../connection/api-failure.ts";
import { isBusy, isHopeless, pauseBeforeRetry } from "../jobs/await-job.ts";

/**
 * Where the bytes of a file go. `size` are those that have come, of the content that `tag` names; `begin` starts anew with another
 * content. `write` says whether to go on. `takesHoles`: what is never written are zeros.
 */
export type Sink = Readonly<{
  takesHoles: boolean;
  size: () => number;
  tag: () => string | null;
  begin: (tag: string | null) => void;
  write: (bytes: Uint8Array, at: number) => boolean;
}>;

/** `isEmpty` as the server last said. */
export type RemoteFile = Readonly<{ api: Api; address: string; isEmpty: boolean; signal: AbortSignal }>;

type Body = Readonly<{ from: number; to: number | null; isLast: boolean; stream: ReadableStream<Uint8Array> }>;

type Read = "all" | "more to ask for" | "unwanted";

const PARTIAL = 206;
const SKIP_HOLES = "skip-holes";
const RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/;

const breakOff = (message: string): ApiFailure => ({ exitCode: UNREACHABLE, code: null, message });
const BROKEN = breakOff("the connection broke");
const CHANGED = breakOff("the file changes all the time");

const readTag = ({ headers }: Response): string | null => {
  const tag = headers.get("etag");
  return tag?.startsWith('"') === true ? tag : null;
};

const renderHeaders = (sink: Sink, from: number): Record<string, string> => ({
  "accept-encoding": "identity",
  range: `bytes=${from}-`,
  ...(from > 0 ? { "if-range": sink.tag() ?? "" } : {}),
  ...(sink.takesHoles ? { prefer: SKIP_HOLES } : {}),
});

const readLength = ({ headers }: Response): number | null => {
  const length = headers.get("content-length");
  return length === null ? null : Number(length);
};

const isWithoutHoles = ({ headers }: Response): boolean => headers.get("preference-applied") === SKIP_HOLES;

const readBody = (answer: Response): Body => {
  const stream = answer.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  const [, from, last, size] = RANGE.exec(answer.headers.get("content-range") ?? "") ?? [];
  return answer.status === PARTIAL && from !== undefined
    ? {
        from: Number(from),
        to: Number(last) + 1,
        isLast: !isWithoutHoles(answer) || Number(size) === Number(last) + 1,
        stream,
      }
    : { from: 0, to: readLength(answer), isLast: true, stream };
};

const pour = async ({ from, to, stream }: Body, sink: Sink): Promise<Result<boolean, ApiFailure>> => {
  const reader = stream.getReader();
  for (let at = from; ; ) {
    const piece = await reader.read().catch(() => null);
    if (piece === null || (piece.done && to !== null && at !== to)) return { ok: false, error: BROKEN };
    if (piece.done) return ok(true);
    if (!sink.write(piece.value, at)) return ok(false);
    at += piece.value.length;
  }
};

const nameRead = ({ isLast }: Body, isWanted: boolean): Read => {
  if (!isWanted) return "unwanted";
  return isLast ? "all" : "more to ask for";
};

const begins = (answer: Response, { from }: Body, asked: number): boolean =>
  from === asked || (from > asked && isWithoutHoles(answer));

const take = async (answer: Response, sink: Sink, asked: number): Promise<Result<Read, ApiFailure>> => {
  const body = readBody(answer);
  const tag = readTag(answer);
  const isKnown = asked > 0 ? tag === sink.tag() : body.isLast || tag !== null;
  if (!begins(answer, body, asked) || !isKnown) {
    sink.begin(null);
    return { ok: false, error: CHANGED };
  }
  if (asked === 0) sink.begin(tag);
  const wanted = await pour(body, sink);
  return wanted.ok ? ok(nameRead(body, wanted.value)) : wanted;
};

const isGone = ({ code }: ApiFailure): boolean => code === "RANGE_NOT_SATISFIABLE";

const readOnce = async (file: RemoteFile, sink: Sink, isNext: boolean): Promise<Result<Read, ApiFailure>> => {
  const from = sink.tag() === null ? 0 : Math.max(0, sink.size() - (isNext ? 0 : 1));
  const giveUp = new AbortController();
  const signal = AbortSignal.any([file.signal, giveUp.signal]);
  const headers = file.isEmpty ? {} : renderHeaders(sink, from);
  const answer = await file.api.open(file.address, signal, headers);
  if (!answer.ok && isGone(answer.error)) sink.begin(null);
  try {
    return answer.ok ? await take(answer.value, sink, file.isEmpty ? 0 : from) : answer;
  } finally {
    giveUp.abort();
  }
};

const isFinal = (failure: ApiFailure, misses: number): boolean => {
  const isPassing = isBusy(failure) || isGone(failure);
  return isHopeless(isPassing ? { ...failure, exitCode: UNREACHABLE } : failure, misses);
};

const mayGoOn = async ({ signal }: RemoteFile, failure: ApiFailure, misses: number): Promise<boolean> => {
  if (signal.aborted || isFinal(failure, misses)) return false;
  if (misses > 1) await pauseBeforeRetry();
  return true;
};

/** Whether all of the file has gone into the sink, which may not want it. Goes on where a connection broke. Throws what the sink throws. */
export const readFileInto = async (file: RemoteFile, sink: Sink): Promise<Result<boolean, ApiFailure>> => {
  let isNext = false;
  for (let misses = 0; ; ) {
    const before = sink.size();
    const read = await readOnce(file, sink, isNext);
    misses = sink.size() > before ? 0 : misses + 1;
    isNext = read.ok && read.value === "more to ask for";
    if (read.ok && !isNext) return ok(read.value === "all");
    if (!read.ok && !(await mayGoOn(file, read.error, misses))) return read;
  }
};

/** Nothing was wrong with the file: the server can't be reached, or refuses all. */
export const concernsAll = ({ exitCode }: ApiFailure): boolean => exitCode === UNREACHABLE || exitCode === REFUSED;
