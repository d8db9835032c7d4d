import { setTimeout as pause } from "node:timers/promises";
import { indexProcesses, type ProcessIndex } from "./job-processes.ts";
import { type Label, listPids, type Process, readLabel, readLastPid, readProcess } from "./process-table.ts";

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
  readLastPid: () => number;
  pause: (ms: number) => Promise<unknown>;
}>;

type PidClock = Readonly<{ lastBefore: () => number; last: () => number; haveBegunAnew: () => boolean }>;

type Count = Readonly<{
  source: ProcessSource;
  pids: PidClock;
  seenAt: Map<number, number>;
  table: Map<number, Process>;
  labels: Map<string, Set<number>>;
  unsettled: Set<number>;
}>;

export const PROC: ProcessSource = { listPids, readProcess, readLabel, readLastPid, pause };
const MAX_LISTINGS = 100;
const PROOFS_NEEDED = 2;
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
  count.seenAt.set(pid, count.pids.lastBefore());
  const process = count.source.readProcess(pid);
  if (process === null) return false;
  count.table.set(pid, process);
  return countLabel(count, pid);
};

const watchPids = ({ readLastPid }: ProcessSource): PidClock => {
  let last = readLastPid();
  let lastBefore = last;
  const haveBegunAnew = (): boolean => {
    lastBefore = last;
    last = readLastPid();
    if (last >= lastBefore) return false;
    lastBefore = 0;
    return true;
  };
  return { lastBefore: () => lastBefore, last: () => last, haveBegunAnew };
};

const isFresh = ({ seenAt, pids }: Count, pid: number): boolean => {
  const lastThen = seenAt.get(pid);
  return lastThen === undefined || (lastThen < pid && pid <= pids.last());
};

type Listing = "proof" | "lost sight" | "pids began anew";

const countListing = (count: Count): Listing => {
  const listed = count.source.listPids();
  const isNewCycle = count.pids.haveBegunAnew();
  if (isNewCycle) count.seenAt.clear();
  const found = listed.filter((pid) => isFresh(count, pid)).map((pid) => countProcess(count, pid));
  if (isNewCycle) return "pids began anew";
  return found.every((isFound) => isFound) ? "proof" : "lost sight";
};

const countNew = (count: Count): boolean => {
  let proofs = 0;
  for (let listings = 0; listings < MAX_LISTINGS && proofs < PROOFS_NEEDED; listings += 1) {
    const listing = countListing(count);
    if (listing === "proof") proofs += 1;
    if (listing === "pids began anew") proofs = 0;
  }
  return proofs === PROOFS_NEEDED;
};

const askUnsettled = async (count: Count): Promise<boolean> => {
  await count.source.pause(UNSETTLED_POLL_MS);
  const found = [...count.unsettled].map((pid) => countLabel(count, pid));
  return countNew(count) && found.every((isFound) => isFound);
};

/**
 * All processes and the jobs that they say they belong to. Listings go from low pids to high, and a process can hand over to
 * a child and end before it was asked. So a listing that lost sight of one proves nothing. Nor does a single one that did not:
 * a child has a lower pid than its parent once, when pids have begun anew at the lowest since the parent was started. Two
 * prove that there is no other, if pids did not begin anew meanwhile; a pid seen before it was its turn may be another's then.
 * One that is just becoming another program is asked again.
 */
export const takeCensus = async (source: ProcessSource): Promise<Census> => {
  const count: Count = {
    source,
    pids: watchPids(source),
    seenAt: new Map(),
    table: new Map(),
    labels: new Map(),
    unsettled: new Set(),
  };
  let isWhole = countNew(count);
  for (let poll = 0; poll < UNSETTLED_POLLS && count.unsettled.size > 0; poll += 1) isWhole = await askUnsettled(count);
  return { index: indexProcesses(count.table), labels: count.labels, isWhole: isWhole && count.unsettled.size === 0 };
};
