import { describe, expect, test } from "bun:test";
import { indexProcesses, listAll, listLeftovers, selectJobProcesses } from "./job-processes.ts";
import type { Process, ProcessTable } from "./process-table.ts";

const make = (pid: number, parentPid: number, sessionId: number, name = "x"): Process => ({
  pid,
  parentPid,
  sessionId,
  name,
  startTicks: pid,
});

const SERVER = 50;
const SESSION = [make(100, SERVER, 100, "screen"), make(101, 100, 101, "bash"), make(102, 101, 101, "script")];
const INSIDE = [make(103, 102, 103, "bash"), make(104, 103, 103, "python")];
const HOST = [make(1, 0, 1), make(SERVER, 1, SERVER, "bun")];

const tableOf = (...processes: readonly Process[]): ProcessTable => new Map(processes.map((one) => [one.pid, one]));

const select = (table: ProcessTable, sessionPid: number | null, labelled: readonly number[] = []) =>
  selectJobProcesses(indexProcesses(table), { sessionPid, labelled: new Set(labelled) }, SERVER);

const pidsOf = (processes: readonly Process[]): readonly number[] =>
  processes.map(({ pid }) => pid).sort((a, b) => a - b);

describe("selectJobProcesses", () => {
  test("knows the session's parts from the job's own processes", () => {
    const { screen, outer, recorder, others } = select(tableOf(...HOST, ...SESSION, ...INSIDE), 100);
    expect([screen?.pid, outer?.pid, recorder?.pid]).toEqual([100, 101, 102]);
    expect(pidsOf(others)).toEqual([103, 104]);
  });

  test("finds labelled daemons, their descendants and the rest of their session", () => {
    const daemon = [make(200, 1, 200), make(201, 200, 200), make(202, 1, 200), make(203, 202, 203)];
    const found = select(tableOf(...HOST, ...SESSION, ...INSIDE, ...daemon), 100, [200]);
    expect(pidsOf(listAll(found))).toEqual([100, 101, 102, 103, 104, 200, 201, 202, 203]);
  });

  test("finds those of a session whose leader has gone", () => {
    expect(pidsOf(listAll(select(tableOf(...HOST, make(301, 1, 300), make(302, 1, 300)), null, [301])))).toEqual([
      301, 302,
    ]);
  });

  test("does not take a session in that another's process leads", () => {
    const shell = [make(400, 1, 400), make(401, 400, 400), make(402, 400, 400)];
    expect(pidsOf(listAll(select(tableOf(...HOST, ...shell), null, [401])))).toEqual([401]);
  });

  test("never includes the server, nor the jobs below it, though the server itself carries the label", () => {
    const other = make(500, SERVER, 500, "screen");
    expect(pidsOf(listAll(select(tableOf(...HOST, ...SESSION, other), 100, [SERVER])))).toEqual([100, 101, 102]);
  });

  test("puts the outer script first and screen last", () => {
    const pids = listAll(select(tableOf(...HOST, ...SESSION, ...INSIDE), 100)).map(({ pid }) => pid);
    expect([pids[0], pids.at(-1)]).toEqual([101, 100]);
  });
});

describe("listLeftovers", () => {
  test("leaves out the session that is winding down", () => {
    const moving = make(105, 101, 101, "mv");
    const found = select(tableOf(...HOST, ...SESSION, moving, make(200, 1, 200)), 100, [200]);
    expect(pidsOf(listLeftovers(found))).toEqual([200]);
  });
});
