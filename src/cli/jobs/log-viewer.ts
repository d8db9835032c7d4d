import { endsWithLogMark, LOG_MARK_LENGTH, LOG_POSITION_HEADER } from "../../wire/log-cut.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { write } from "../terminal/output.ts";
import { createLogFilter, type LogFilter } from "./log-filter.ts";

/**
 * Shows what is read of a log, across several answers. `query` asks for what was not shown yet. `isAtMark`: the last answer ended
 * where something was left out, and the log goes on.
 */
export type LogViewer = Readonly<{
  query: () => string;
  take: (answer: Response) => Promise<void>;
  isAtMark: () => boolean;
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

/** `filter` is null for the bytes as they are; without one the log is shown as on a terminal, or in a pipe. */
export type LogView = Readonly<{
  lastLines: number | null;
  since?: number | null;
  filter?: LogFilter | null;
  isJson?: boolean;
}>;

const renderStart = ({ lastLines, since = null }: LogView): string =>
  [
    "resumable=true",
    ...(lastLines === null ? [] : [`last_n_lines=${lastLines}`]),
    ...(since === null ? [] : [`since=${since}`]),
  ].join("&");

const renderPlace = (position: number, isAtMark: boolean): string =>
  isAtMark ? `from=${position - LOG_MARK_LENGTH}&marked=true` : `from=${position}`;

/** A server that does not say at which byte of the log its answer begins is asked for all of it again. */
export const createLogViewer = (view: LogView): LogViewer => {
  const { filter = createLogFilter(isTerminal("output")) } = view;
  const shown = createShown(filter);
  const isWhole = view.lastLines === null && (view.since ?? null) === null;
  let position: number | null = null;
  let isAtMark = false;
  const takeFrom = async (start: number, stream: Stream): Promise<void> => {
    position = start;
    isAtMark = false;
    for await (const chunk of stream) {
      position += chunk.length;
      shown.take(chunk);
      isAtMark = endsWithLogMark(shown.lastText());
    }
  };
  return {
    query: () => (position === null ? renderStart(view) : renderPlace(position, isAtMark)),
    take: async ({ headers, body }) => {
      const start = headers.get(LOG_POSITION_HEADER);
      const stream = body ?? new ReadableStream<Uint8Array>();
      await (start === null ? takeAgain(shown, stream, isWhole) : takeFrom(Number(start), stream));
    },
    isAtMark: () => isAtMark,
    end: shown.end,
  };
};
