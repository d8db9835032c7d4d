import { describe, expect, test } from "bun:test";
import { createRunning, createStarting, HANDLE } from "../../../../tests/support/samples.ts";
import type { ActiveJob } from "../jobs/job.ts";
import type { Observation } from "./executor.ts";
import { decideEndings } from "./job-ending.ts";

const ALIVE: Observation = { kind: "alive", handle: HANDLE };
const LEFT: Observation = { kind: "exited", exitCode: 0, processesLeft: 2 };
const starting = createStarting("a");
const running = createRunning("a");
const marked = createRunning("a", { markedForKill: true });

const decide = (job: ActiveJob, seen: Observation | undefined, now = 50, killedSince?: number) => {
  const observations = new Map(seen === undefined ? [] : [[job.id, seen]]);
  const since = new Map(killedSince === undefined ? [] : [[job.id, killedSince]]);
  const { kills, endings } = decideEndings([job], observations, { now, killedSince: since });
  return [...kills.map((kill) => ({ kind: "kill", ...kill })), ...endings];
};

describe("decideEndings", () => {
  test("nothing happens to a job that was not probed or goes on", () => {
    expect(decide(running, undefined)).toEqual([]);
    expect(decide(starting, undefined)).toEqual([]);
    expect(decide(running, ALIVE)).toEqual([]);
  });

  test("a job that was starting and lives is adopted, marked for kill or not", () => {
    for (const job of [starting, createStarting("a", { markedForKill: true })]) {
      expect(decide(job, ALIVE)).toEqual([{ kind: "adopt", job, handle: HANDLE }]);
    }
  });

  test("a job that was starting and never ran is queued again, or killed if it was marked for that", () => {
    const doomed = createStarting("a", { markedForKill: true });
    expect(decide(starting, { kind: "unstarted" })).toEqual([{ kind: "requeue", job: starting }]);
    expect(decide(doomed, { kind: "unstarted" })).toEqual([
      { kind: "finish", job: doomed, event: { kind: "lose", at: 50, reason: "Killed before it started" } },
    ]);
  });

  test("a job that exited with no process left is finished with its exit code, marked for kill or not", () => {
    for (const job of [running, marked]) {
      expect(decide(job, { kind: "exited", exitCode: 7, processesLeft: 0 })).toEqual([
        { kind: "finish", job, event: { kind: "exit", at: 50, exitCode: 7 } },
      ]);
    }
  });

  test("a job ended when its exit code was written, or now if that is to come", () => {
    for (const [exitedAt, at] of [
      [40.5, 40.5],
      [60, 50],
    ] as const) {
      expect(decide(running, { kind: "exited", exitCode: 0, processesLeft: 0, exitedAt })).toEqual([
        { kind: "finish", job: running, event: { kind: "exit", at, exitCode: 0 } },
      ]);
    }
  });

  test("a job that is gone without an exit code is finished with the reason", () => {
    expect(decide(running, { kind: "lost", reason: "Lost: the machine restarted" })).toEqual([
      { kind: "finish", job: running, event: { kind: "lose", at: 50, reason: "Lost: the machine restarted" } },
    ]);
  });

  test.each([
    ["a job marked for kill", marked, ALIVE],
    ["a job that exited and left processes", running, LEFT],
  ] as const)("%s gets TERM once and KILL from 10 s later", (_name, job, seen) => {
    expect(decide(job, seen, 50)).toEqual([{ kind: "kill", job, force: false }]);
    expect(decide(job, seen, 50.1, 50)).toEqual([]);
    expect(decide(job, seen, 59.99, 50)).toEqual([]);
    expect(decide(job, seen, 60, 50)).toEqual([{ kind: "kill", job, force: true }]);
    expect(decide(job, seen, 75, 50)).toEqual([{ kind: "kill", job, force: true }]);
  });
});
