import { setTimeout as pause } from "node:timers/promises";
import { indexProcesses, type ProcessIndex } from "./job-processes.ts";
import { type Label, listPids, type Process, readLabel, readProcess } from "./process-table.ts";

/** Who is in the census lived while it was taken. Of who is not, only `isWhole` says that they did not. */
export type Census = Readonly<{
  index: ProcessIndex;
  labels: ReadonlyMap<string, ReadonlySet<number>>;
  isWhole: boolean;
}>;

/** What a census asks of the machine. */
export type ProcessSource = Readonly<{
  listPids: () => readonly number[];
  readProcess: (pid: number) => Process | null;
  readLabel: (pid: number) => Label;
  pause: (ms: number) => Promise<unknown>;
}>;

type Count = Readonly<{
  source: ProcessSource;
  seen: Set<number>;
  table: Map<number, Process>;
  labels: Map<string, Set<number>>;
  unsettled: Set<number>;
}>;

export const PROC: ProcessSource = { listPids, readProcess, readLabel, pause };
const MAX_LISTINGS = 100;
const UNSETTLED_POLLS = 25;
const UNSETTLED_POLL_MS = 2;

const countLabel = ({ source, labels, unsettled }: Count, pid: number): boolean => {
  const label = source.readLabel(pid);
  if (label.kind === "job") labels.set(label.id, (labels.get(label.id) ?? new Set()).add(pid));
  if (label.kind === "unsettled") unsettled.add(pid);
  else unsettled.delete(pid);
  return label.kind !== "gone";
};

const countProcess = (count: Count, pid: number): boolean => {
  count.seen.add(pid);
  const process = count.source.readProcess(pid);
  if (process === null) return false;
  count.table.set(pid, process);
  return countLabel(count, pid);
};

const countNew = (count: Count): boolean => {
  for (let listing = 0; listing < MAX_LISTINGS; listing += 1) {
    const fresh = count.source.listPids().filter((pid) => !count.seen.has(pid));
    const found = fresh.map((pid) => countProcess(count, pid));
    if (found.every((isFound) => isFound)) return true;
  }
  return false;
};

const askUnsettled = async (count: Count): Promise<boolean> => {
  await count.source.pause(UNSETTLED_POLL_MS);
  const found = [...count.unsettled].map((pid) => countLabel(count, pid));
  return countNew(count) && found.every((isFound) => isFound);
};

/**
 * All processes and the jobs that they say they belong to. A process can hand over to a child and end before it was asked, so
 * a listing that lost sight of one proves nothing: they are listed until one loses sight of none, for pids only grow. One
 * that is just becoming another program is asked again.
 */
export const takeCensus = async (source: ProcessSource): Promise<Census> => {
  const count: Count = { source, seen: new Set(), table: new Map(), labels: new Map(), unsettled: new Set() };
  let isWhole = countNew(count);
  for (let poll = 0; poll < UNSETTLED_POLLS && count.unsettled.size > 0; poll += 1) isWhole = await askUnsettled(count);
  return { index: indexProcesses(count.table), labels: count.labels, isWhole: isWhole && count.unsettled.size === 0 };
};
