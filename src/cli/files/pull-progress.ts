import { writeSync } from "node:fs";
import { formatBytes } from "../../base/format-bytes.ts";

/** One line of the terminal, drawn again and again. */
export type PullProgress = Readonly<{ addBytes: (count: number) => void; addFile: () => void; end: () => void }>;

type Amount = Readonly<{ files: number; bytes: number }>;

const STANDARD_ERROR = 2;
const REDRAW_MS = 100;
const MS_PER_S = 1000;
const CLEAR_LINE = "\r\u001b[K";

export const NO_PROGRESS: PullProgress = { addBytes: () => undefined, addFile: () => undefined, end: () => undefined };

export const showPullProgress = (all: Amount): PullProgress => {
  const startedAt = performance.now();
  let [bytes, files, fresh, drawnAt] = [0, 0, 0, 0];
  const draw = (): void => {
    const now = performance.now();
    if (now - drawnAt < REDRAW_MS) return;
    drawnAt = now;
    const speed = formatBytes(Math.round((Math.max(0, fresh) / (now - startedAt)) * MS_PER_S));
    const done = `${formatBytes(Math.max(0, bytes))} of ${formatBytes(all.bytes)}, ${files} of ${all.files} ${all.files === 1 ? "file" : "files"}`;
    writeSync(STANDARD_ERROR, `${CLEAR_LINE}Fetching: ${done}, ${speed}/s`);
  };
  return {
    addBytes: (count) => {
      bytes += count;
      fresh += count;
      draw();
    },
    addFile: () => {
      files += 1;
      draw();
    },
    end: () => void writeSync(STANDARD_ERROR, CLEAR_LINE),
  };
};
