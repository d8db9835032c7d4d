import type { WireJob } from "../../wire/job.ts";
import { endsWithLogMark, LOG_ATTEMPT_HEADER, LOG_MARK_LENGTH, LOG_POSITION_HEADER } from "../../wire/log-cut.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { write } from "../terminal/output.ts";
import { createLogFilter, type LogFilter } from "./log-filter.ts";

/**
 * Shows what is read of a log, across several answers. `query` asks for what was not shown yet. `isAtMark`: the last answer ended
 * where something was left out, and the log goes on. `turnOver` leaves a log for that of the next attempt, once the job has left that attempt;
 * `isLast`: of all that it has had, none is left to show.
 */
export type LogViewer = Readonly<{
  query: () => string;
  take: (answer: Response) => Promise<void>;
  isAtMark: () => boolean;
  turnOver: (job: WireJob) => boolean;
  isLast: (job: WireJob) => boolean;
  end: () => void;
}>;

type Shown = Readonly<{
  take: (bytes: Uint8Array) => void;
  count: () => number;
  lastText: () => string;
  end: () => void;
}>;

type Stream = ReadableStream<Uint8Array>;

const QUIET_MS = 500;

const createShown = (filter: LogFilter | null): Shown => {
  const passHeld = (): void => write(filter?.pass?.() ?? "");
  let quiet: ReturnType<typeof setTimeout> | undefined;
  const decoder = new TextDecoder();
  let count = 0;
  let lastText = "";
  return {
    take: (bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      count += bytes.length;
      lastText = (lastText + text).slice(-LOG_MARK_LENGTH);
      write(filter === null ? bytes : filter.push(text));
      clearTimeout(quiet);
      quiet = setTimeout(passHeld, QUIET_MS);
    },
    count: () => count,
    lastText: () => lastText,
    end: () => {
      clearTimeout(quiet);
      if (filter !== null) write(filter.push(decoder.decode()) + filter.end());
    },
  };
};

const drain = async (stream: Stream): Promise<void> => {
  for await (const _chunk of stream);
};

const takeAgain = async (shown: Shown, stream: Stream, isWholeLog: boolean): Promise<void> => {
  if (shown.count() > 0 && !isWholeLog) return drain(stream);
  let skipped = shown.count();
  for await (const chunk of stream) {
    const fresh = chunk.subarray(Math.min(skipped, chunk.length));
    skipped -= chunk.length - fresh.length;
    shown.take(fresh);
  }
};

/** `createFilter` makes that of each attempt's log, null for the bytes as they are; without it the log is shown as on a terminal, or in a pipe. `attempt`: from which on; the newest unless given. */
export type LogView = Readonly<{
  lastLines: number | null;
  since?: number | null;
  attempt?: number;
  createFilter?: () => LogFilter | null;
}>;

const renderStart = ({ lastLines, since = null, attempt }: LogView): string =>
  [
    "resumable=true",
    ...(attempt === undefined ? [] : [`attempt=${attempt}`]),
    ...(lastLines === null ? [] : [`last_n_lines=${lastLines}`]),
    ...(since === null ? [] : [`since=${since}`]),
  ].join("&");

type Reading = { shown: Shown; position: number | null; attempt: number | null; isAtMark: boolean };

const renderPlace = (position: number, { isAtMark, attempt }: Reading): string =>
  [
    isAtMark ? `from=${position - LOG_MARK_LENGTH}&marked=true` : `from=${position}`,
    ...(attempt === null ? [] : [`attempt=${attempt}`]),
  ].join("&");

const countAttempts = ({ attempts }: Partial<WireJob>): number => attempts?.length ?? 0;

const hasLeft = (job: WireJob, attempt: number): boolean =>
  countAttempts(job) > attempt || (job.status === "queued" && countAttempts(job) === attempt);

const takeFrom = async (reading: Reading, start: number, stream: Stream): Promise<void> => {
  reading.position = start;
  reading.isAtMark = false;
  for await (const chunk of stream) {
    reading.position += chunk.length;
    reading.shown.take(chunk);
    reading.isAtMark = endsWithLogMark(reading.shown.lastText());
  }
};

const startNext = (reading: Reading, filter: LogFilter | null): void => {
  reading.shown.end();
  reading.shown = createShown(filter);
  reading.attempt = (reading.attempt ?? 0) + 1;
  reading.position = 0;
};

/** A server that does not say at which byte of the log its answer begins is asked for all of it again. */
export const createLogViewer = (view: LogView): LogViewer => {
  const { createFilter = () => createLogFilter(isTerminal("output")) } = view;
  const reading: Reading = { shown: createShown(createFilter()), position: null, attempt: null, isAtMark: false };
  const isWhole = view.lastLines === null && (view.since ?? null) === null;
  return {
    query: () => (reading.position === null ? renderStart(view) : renderPlace(reading.position, reading)),
    take: async ({ headers, body }) => {
      const [start, number] = [headers.get(LOG_POSITION_HEADER), headers.get(LOG_ATTEMPT_HEADER)];
      reading.attempt = number === null ? null : Number(number);
      const stream = body ?? new ReadableStream<Uint8Array>();
      await (start === null ? takeAgain(reading.shown, stream, isWhole) : takeFrom(reading, Number(start), stream));
    },
    isAtMark: () => reading.isAtMark,
    turnOver: (job) => {
      if (reading.attempt === null || reading.isAtMark || !hasLeft(job, reading.attempt)) return false;
      startNext(reading, createFilter());
      return true;
    },
    isLast: (job) => !reading.isAtMark && (reading.attempt ?? Number.POSITIVE_INFINITY) >= countAttempts(job),
    end: () => reading.shown.end(),
  };
};
