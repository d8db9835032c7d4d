import type { ProcessControl } from "../../src/server/external/screen/kill-jobs.ts";
import type { Process } from "../../src/server/external/screen/processes/process-table.ts";

/** Processes that are there only for a test, each with the job it says it belongs to. Who is a ghost is listed and gone when asked. */
export type FakeProcesses = Readonly<{
  processes: ProcessControl;
  add: (pid: number, job: string) => void;
  reuse: (pid: number) => void;
  haunt: (listings: number) => void;
  killed: readonly number[];
}>;

type Hooks = Readonly<{
  onAsked?: (pid: number) => void;
  onKilled?: (pid: number) => void;
  onPause?: (ms: number) => void;
}>;

const FIRST_GHOST = 1_000_000;

export const createFakeProcesses = (hooks: Hooks = {}): FakeProcesses => {
  const table = new Map<number, Process>();
  const jobs = new Map<number, string>();
  const killed: number[] = [];
  let ghosts = 0;
  const start = (pid: number, startTicks: number): void =>
    void table.set(pid, { pid, name: "x", parentPid: 1, sessionId: pid, startTicks });
  const listGhost = (): readonly number[] => {
    ghosts -= 1;
    return ghosts < 0 ? [] : [FIRST_GHOST + ghosts];
  };
  return {
    killed,
    add: (pid, job) => {
      jobs.set(pid, job);
      start(pid, 1);
    },
    reuse: (pid) => start(pid, (table.get(pid)?.startTicks ?? 0) + 1),
    haunt: (listings) => {
      ghosts = listings;
    },
    processes: {
      listPids: () => [...table.keys(), ...listGhost()],
      readProcess: (pid) => table.get(pid) ?? null,
      readLastPid: () => FIRST_GHOST,
      readLabel: (pid) => {
        const id = jobs.get(pid);
        hooks.onAsked?.(pid);
        return id === undefined ? { kind: "gone" } : { kind: "job", id };
      },
      pause: async (ms) => hooks.onPause?.(ms),
      kill: (pid) => {
        killed.push(pid);
        table.delete(pid);
        hooks.onKilled?.(pid);
      },
    },
  };
};
