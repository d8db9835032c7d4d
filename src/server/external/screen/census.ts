import { setTimeout as pause } from "node:timers/promises";
import { indexProcesses, type ProcessIndex } from "./job-processes.ts";
import { listPids, type Process, readLabel, readProcess } from "./process-table.ts";

export type Census = Readonly<{ index: ProcessIndex; labels: ReadonlyMap<string, ReadonlySet<number>> }>;

type Count = Readonly<{
  seen: Set<number>;
  table: Map<number, Process>;
  labels: Map<string, Set<number>>;
  unsettled: Set<number>;
}>;

const MAX_LISTINGS = 5;
const UNSETTLED_POLLS = 25;
const UNSETTLED_POLL_MS = 2;

const countLabel = ({ labels, unsettled }: Count, pid: number): void => {
  const label = readLabel(pid);
  if (label.kind === "job") labels.set(label.id, (labels.get(label.id) ?? new Set()).add(pid));
  if (label.kind === "unsettled") unsettled.add(pid);
  else unsettled.delete(pid);
};

const countProcess = (count: Count, pid: number): void => {
  count.seen.add(pid);
  const process = readProcess(pid);
  if (process === null) return;
  count.table.set(pid, process);
  countLabel(count, pid);
};

const countNew = (count: Count): void => {
  for (let listing = 0; listing < MAX_LISTINGS; listing += 1) {
    const fresh = listPids().filter((pid) => !count.seen.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) countProcess(count, pid);
  }
};

/**
 * All processes and the jobs that they say they belong to. One that starts a child and ends while they are counted does
 * not escape: they are listed until none is new, five times at most. One that is just becoming another program is asked again.
 */
export const takeCensus = async (): Promise<Census> => {
  const count: Count = { seen: new Set(), table: new Map(), labels: new Map(), unsettled: new Set() };
  countNew(count);
  for (let poll = 0; poll < UNSETTLED_POLLS && count.unsettled.size > 0; poll += 1) {
    await pause(UNSETTLED_POLL_MS);
    for (const pid of [...count.unsettled]) countLabel(count, pid);
    countNew(count);
  }
  return { index: indexProcesses(count.table), labels: count.labels };
};
