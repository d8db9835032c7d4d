import type { Process, ProcessTable } from "./process-table.ts";

/** `screen` and `recorder` (`script`, or what is about to become it; the first that `outer` starts) keep the job's terminals; `outer` runs `run.sh` between the two. */
export type JobProcesses = Readonly<{
  screen: Process | null;
  outer: Process | null;
  recorder: Process | null;
  others: readonly Process[];
}>;

type Roots = Readonly<{ sessionPid: number | null; labelled: ReadonlySet<number> }>;

type Groups = ReadonlyMap<number, readonly Process[]>;

export type ProcessIndex = Readonly<{ table: ProcessTable; children: Groups; sessions: Groups }>;

export const indexProcesses = (table: ProcessTable): ProcessIndex => ({
  table,
  children: Map.groupBy(table.values(), (process) => process.parentPid),
  sessions: Map.groupBy(table.values(), (process) => process.sessionId),
});

const isLedFromOutside = (sessionId: number, table: ProcessTable, members: ReadonlySet<number>): boolean =>
  table.has(sessionId) && !members.has(sessionId);

const collectMembers = (index: ProcessIndex, roots: readonly number[], self: number): ReadonlySet<number> => {
  const { table, children, sessions } = index;
  const members = new Set<number>();
  const waiting = [...roots];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const process = table.get(pid);
    if (process === undefined || pid === self || members.has(pid)) continue;
    members.add(pid);
    waiting.push(...(children.get(pid) ?? []).map((child) => child.pid));
    const { sessionId } = process;
    if (sessionId > 0 && !isLedFromOutside(sessionId, table, members)) {
      waiting.push(...(sessions.get(sessionId) ?? []).map((member) => member.pid));
    }
  }
  return members;
};

const findChild = (
  processes: readonly Process[],
  parent: Process | null,
  isIt: (process: Process) => boolean,
): Process | null =>
  processes
    .filter((process) => process.parentPid === parent?.pid && isIt(process))
    .toSorted((a, b) => a.startTicks - b.startTicks)[0] ?? null;

/** All live processes of a job: of its session, their descendants, those labelled with its id, and their sessions; never `self`. */
export const selectJobProcesses = (
  index: ProcessIndex,
  { sessionPid, labelled }: Roots,
  self: number,
): JobProcesses => {
  const roots = [...labelled, ...(sessionPid === null ? [] : [sessionPid])];
  const members = [...collectMembers(index, roots, self)].flatMap((pid) => index.table.get(pid) ?? []);
  const screen = members.find((process) => process.pid === sessionPid) ?? null;
  const outer = findChild(members, screen, (process) => process.sessionId === process.pid);
  const recorder = findChild(members, outer, (process) => process.sessionId === outer?.sessionId);
  const named = new Set([screen, outer, recorder]);
  return { screen, outer, recorder, others: members.filter((process) => !named.has(process)) };
};

export const listAll = (processes: JobProcesses): readonly Process[] =>
  [processes.outer, ...processes.others, processes.recorder, processes.screen].filter((process) => process !== null);

/** What a job left behind: all but the session that is winding down by itself. */
export const listLeftovers = ({ outer, others }: JobProcesses): readonly Process[] =>
  others.filter((process) => outer === null || process.sessionId !== outer.sessionId);
