import { describe, expect, test } from "bun:test";
import { createActive, createRunning, createStarting, freeze, HANDLE } from "../../../../tests/support/samples.ts";
import type { ActiveJob, JobId } from "../jobs/job.ts";
import type { Observation } from "./executor.ts";
import { decideEndings } from "./job-ending.ts";

const NOW = 900;
const SEEN = {
  alive: { kind: "alive", handle: HANDLE },
  exited: { kind: "exited", exitCode: 4, processesLeft: 0 },
  leaving: { kind: "exited", exitCode: 4, processesLeft: 1 },
  lost: { kind: "lost", reason: "Lost: the machine restarted" },
  unstarted: { kind: "unstarted" },
} as const satisfies Record<string, Observation>;

const EXIT = { kind: "exit", at: NOW, exitCode: 4 } as const;
const LOSE = { kind: "lose", at: NOW, reason: "Lost: the machine restarted" } as const;
const NEVER_BEGAN = { kind: "lose", at: NOW, reason: "Killed before it started" } as const;

const planRestart = (jobs: readonly ActiveJob[], observations: ReadonlyMap<JobId, Observation>, now: number) => {
  const { kills, endings } = decideEndings(jobs, observations, { now, killedSince: new Map() });
  return [...endings, ...kills.map((kill) => ({ kind: "kill", ...kill }))];
};

describe("decideEndings at a restart", () => {
  test.each([
    ["starting", "alive", false, { kind: "adopt", handle: HANDLE }],
    ["starting", "alive", true, { kind: "adopt", handle: HANDLE }],
    ["starting", "exited", false, { kind: "finish", event: EXIT }],
    ["starting", "exited", true, { kind: "finish", event: EXIT }],
    ["starting", "lost", false, { kind: "finish", event: LOSE }],
    ["starting", "lost", true, { kind: "finish", event: LOSE }],
    ["starting", "unstarted", false, { kind: "requeue" }],
    ["starting", "unstarted", true, { kind: "finish", event: NEVER_BEGAN }],
    ["running", "alive", false, null],
    ["running", "alive", true, { kind: "kill", force: false }],
    ["running", "exited", false, { kind: "finish", event: EXIT }],
    ["running", "exited", true, { kind: "finish", event: EXIT }],
    ["running", "leaving", false, { kind: "kill", force: false }],
    ["running", "lost", false, { kind: "finish", event: LOSE }],
    ["running", "lost", true, { kind: "finish", event: LOSE }],
  ] as const)("a %s job seen %s, marked for kill %p", (status, seen, markedForKill, expected) => {
    const job = freeze(createActive(status, markedForKill));
    const actions = planRestart([job], new Map([[job.id, SEEN[seen]]]), NOW);
    expect(actions).toEqual(expected === null ? [] : [{ ...expected, job } as never]);
  });

  test("each job is planned by its own observation", () => {
    const jobs = [createStarting("a"), createRunning("b"), createRunning("c"), createRunning("d")];
    const seen: readonly Observation[] = [SEEN.unstarted, SEEN.lost, SEEN.alive];
    const observations = new Map(seen.flatMap((one, at) => jobs.slice(at, at + 1).map(({ id }) => [id, one])));
    const actions = planRestart(jobs, observations, NOW);
    expect(actions.map(({ kind, job }) => `${kind} ${job.id}`)).toEqual(["requeue a", "finish b"]);
  });
});
