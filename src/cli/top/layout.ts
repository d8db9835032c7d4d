import { wrapLines } from "./log-lines.ts";
import type { TopState } from "./top-state.ts";

const HEAD_AND_FOOT = 2;
const GPU_PART = 0.45;
const JOB_PART = 1 / 6;
const LOG_PART = 1 / 4;

export const countBodyRows = ({ rows }: TopState): number => Math.max(1, rows - HEAD_AND_FOOT);

export const countLogRows = ({ log, columns }: TopState): number => wrapLines(log?.lines ?? [], columns).length;

/** What each of several lists gets of the rows: its `least` first, then as much of its `want` as is left, in turn. */
export const shareRows = (
  total: number,
  lists: readonly Readonly<{ want: number; least: number }>[],
): readonly number[] => {
  let left = total;
  const take = (rows: number): number => {
    const taken = Math.max(0, Math.min(rows, left));
    left -= taken;
    return taken;
  };
  const first = lists.map(({ want, least }) => take(Math.min(want, least)));
  return lists.map(({ want }, index) => (first[index] ?? 0) + take(want - (first[index] ?? 0)));
};

const atLeast = (total: number, part: number): number => Math.max(1, Math.floor(total * part));

/** The rows for GPUs, running jobs, queued jobs and the log. The log takes what the others do not need. */
export const shareBody = (
  total: number,
  counts: Readonly<{ gpus: number; running: number; queued: number }>,
): readonly number[] =>
  shareRows(total, [
    { want: counts.gpus, least: atLeast(total, GPU_PART) },
    { want: counts.running, least: atLeast(total, JOB_PART) },
    { want: counts.queued, least: atLeast(total, JOB_PART) },
    { want: total, least: atLeast(total, LOG_PART) },
  ]);

/** Where a list of which only some rows can be seen begins, so that the row in question is seen. */
export const scrollTo = (length: number, rows: number, place: number): number =>
  Math.max(0, Math.min(length - rows, place - Math.floor(rows / 2)));
