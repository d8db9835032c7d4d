/** Of a log's bytes those that were left out: from `from` up to, but not with, `to`. */
export type LogCut = Readonly<{ from: number; to: number }>;

/** Says of which attempt the log is that an answer has. */
export const LOG_ATTEMPT_HEADER = "x-nexus-log-attempt";

/** Says at which byte of the log an answer begins. */
export const LOG_POSITION_HEADER = "x-nexus-log-position";

const BYTES_PER_GB = 1e9;
const BYTES_PER_MB = 1e6;
const LINE_LENGTH = 80;
const MARK = /\r\n\[Nexus left out [\d.]+ [GM]B here: the log is larger than max_log_gb\] *\r\n$/;

const formatSize = (bytes: number): string =>
  bytes < BYTES_PER_GB ? `${(bytes / BYTES_PER_MB).toFixed(1)} MB` : `${(bytes / BYTES_PER_GB).toFixed(1)} GB`;

/** What stands in a log where something was left out; always as long as any other. */
export const renderLogMark = ({ from, to }: LogCut): string => {
  const line = `[Nexus left out ${formatSize(to - from)} here: the log is larger than max_log_gb]`;
  return `\r\n${line.padEnd(LINE_LENGTH)}\r\n`;
};

export const LOG_MARK_LENGTH: number = renderLogMark({ from: 0, to: 0 }).length;

/** Whether a text ends where something was left out. */
export const endsWithLogMark = (text: string): boolean => MARK.test(text);
