import { readFileSync, readlinkSync, statSync } from "node:fs";
import { runCommand } from "../../../../tools/run-command.ts";
import type { JobId, RunningJob } from "../../../core/jobs/job.ts";
import type { FindInputWaits } from "../../../core/running/input-wait.ts";
import { locateJobFiles } from "../../job-folder/job-paths.ts";
import { seemsToReadTerminal, waitsForTerminal } from "./blocked-call.ts";
import { listPids } from "./process-table.ts";

type Member = Readonly<{
  pid: number;
  isAsleep: boolean;
  parentPid: number;
  group: number;
  sessionId: number;
  foreground: number;
  startTicks: number;
}>;

const STTY_LIMITS = { timeoutMs: 2000, maxOutputBytes: 4096 };

const readMember = (pid: number): Member | null => {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    const [parentPid = 0, group = 0, sessionId = 0, , foreground = 0] = fields.slice(1, 6).map(Number);
    return {
      pid,
      isAsleep: fields[0] === "S",
      parentPid,
      group,
      sessionId,
      foreground,
      startTicks: Number(fields[19]),
    };
  } catch {
    return null;
  }
};

const isLeader = ({ pid, sessionId }: Member): boolean => pid === sessionId;

const findInner = (children: ReadonlyMap<number, readonly Member[]>, screen: Member): Member | undefined => {
  const listOf = ({ pid }: Member): readonly Member[] => children.get(pid) ?? [];
  const outer = listOf(screen).filter(isLeader);
  return outer.flatMap(listOf).flatMap(listOf).find(isLeader);
};

/** Whether what is typed there, a line at a time, is not shown: how a password is asked for. */
export const asksInSecret = async (terminal: string): Promise<boolean> => {
  const shown = await runCommand(["stty", "-F", terminal, "-a"], STTY_LIMITS);
  return shown.ok && / icanon/.test(shown.value.stdout) && / -echo /.test(shown.value.stdout);
};

const ask = (look: typeof waitsForTerminal, { pid }: Member, terminal: string): boolean | null => {
  try {
    return look(pid, terminal);
  } catch {
    return null;
  }
};

const isWaiting = async (member: Member, terminal: string): Promise<boolean> =>
  member.isAsleep &&
  (ask(waitsForTerminal, member, terminal) ??
    ask(seemsToReadTerminal, member, terminal) ??
    (await asksInSecret(terminal)));

const findWaiting = async (members: readonly Member[], terminal: string): Promise<Member | null> => {
  for (const member of members) if (await isWaiting(member, terminal)) return member;
  return null;
};

const readLogSize = (serverDir: string, id: JobId): number =>
  statSync(locateJobFiles(serverDir, id).outputLog, { throwIfNoEntry: false })?.size ?? 0;

type Table = Readonly<{ all: ReadonlyMap<number, Member>; children: ReadonlyMap<number, readonly Member[]> }>;

const readTable = (): Table => {
  const members = listPids().flatMap((pid) => readMember(pid) ?? []);
  return {
    all: new Map(members.map((member) => [member.pid, member])),
    children: Map.groupBy(members, ({ parentPid }) => parentPid),
  };
};

const markWait = async (serverDir: string, { all, children }: Table, job: RunningJob): Promise<string | null> => {
  if (job.handle.kind !== "screen") return null;
  const screen = all.get(job.handle.pid);
  if (screen === undefined || screen.startTicks !== job.handle.startTicks) return null;
  const inner = findInner(children, screen);
  if (inner === undefined) return null;
  const members = [...all.values()].filter(
    ({ sessionId, group }) => sessionId === inner.pid && group === inner.foreground,
  );
  const waiting = await findWaiting(members, readlinkSync(`/proc/${inner.pid}/fd/0`));
  return waiting === null ? null : `${waiting.pid} ${waiting.startTicks} ${readLogSize(serverDir, job.id)}`;
};

const tryMarkWait = async (serverDir: string, table: Table, job: RunningJob): Promise<string | null> => {
  try {
    return await markWait(serverDir, table, job);
  } catch {
    return null;
  }
};

/** Looks once at all processes of the machine, then at those in the foreground of the jobs' terminals. */
export const createInputWaits =
  (serverDir: string): FindInputWaits =>
  async (jobs) => {
    const table = readTable();
    const marks = await Promise.all(
      jobs.map(async (job) => [job.id, await tryMarkWait(serverDir, table, job)] as const),
    );
    return new Map(marks.flatMap(([id, mark]) => (mark === null ? [] : [[id, mark] as const])));
  };
