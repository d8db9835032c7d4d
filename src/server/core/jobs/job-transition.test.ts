import { describe, expect, test } from "bun:test";
import {
  createEnded,
  createQueued,
  createRunning,
  createStarting,
  freeze,
  HANDLE,
} from "../../../../tests/support/samples.ts";
import { type Job, NO_OUTPUTS, type RunningJob } from "./job.ts";
import { applyJobEvent, type JobEvent, TRANSITIONS } from "./job-transition.ts";

const JOBS: readonly Job[] = [
  createQueued("a"),
  createStarting("a"),
  createStarting("a", { markedForKill: true }),
  createRunning("a"),
  createRunning("a", { markedForKill: true }),
  createEnded("a"),
  createEnded("a", { status: "failed", exitCode: 3 }),
  createEnded("a", { status: "killed", exitCode: null }),
];

const EVENTS: readonly JobEvent[] = [
  { kind: "start", at: 5, gpuIdxs: [1], dir: "/d" },
  { kind: "launch", handle: HANDLE },
  { kind: "requeue", at: 5 },
  { kind: "exit", at: 5, exitCode: 0 },
  { kind: "exit", at: 5, exitCode: 9 },
  { kind: "lose", at: 5, reason: "Lost: the machine restarted" },
  { kind: "abandon", at: 5, reason: "Job b, which it waits for, failed" },
  { kind: "mark_for_kill" },
  { kind: "halt", halt: { cause: "time", limitS: 60 } },
  { kind: "warn" },
  { kind: "measure", vramPeakMib: 7, isOverBooked: true },
  { kind: "foresee", estimate: { from: 100, to: 200 } },
  { kind: "see_use", use: { looks: 1, meanPercent: 50, peakPercent: 60, idleShare: 0 } },
  { kind: "tell_stall", stall: "idle", told: { forS: 60, limitS: 120 } },
  { kind: "report", reports: { wandbUrl: "https://wandb.ai/x" } },
  { kind: "account", outputs: { state: "kept", files: 3 }, notes: ["a"] },
  { kind: "edit", command: "true", priority: 3, numGpus: 2 },
];

const MOVES = [
  "queued start starting",
  "queued edit queued",
  "queued foresee queued",
  "queued give_up killed",
  "queued abandon failed",
  "starting launch running",
  "starting requeue queued",
  "starting requeue killed",
  "starting exit completed",
  "starting exit failed",
  "starting exit queued",
  "starting lose queued",
  "starting lose failed",
  "starting lose killed",
  "starting mark_for_kill starting",
  "running requeue queued",
  "running requeue killed",
  "running exit completed",
  "running exit failed",
  "running exit queued",
  "running lose queued",
  "running lose failed",
  "running lose killed",
  "running mark_for_kill running",
  "running measure running",
  "running see_use running",
  "running tell_stall running",
  "running halt running",
  "running warn running",
  "running report running",
  "completed report completed",
  "failed report failed",
  "killed report killed",
  "completed account completed",
  "failed account failed",
  "killed account killed",
];

const CASES = JOBS.flatMap((job) => EVENTS.map((event) => ({ job, event })));

const RETRY = { retry: { count: 3, causes: ["exit", "machine"] } } as const;
const ATTEMPT = {
  startedAt: 200,
  endedAt: 300,
  gpuIdxs: [0],
  exitCode: 9,
  reason: "it failed",
  cause: "exit",
} as const;
const PAST = { attempts: [ATTEMPT], retryAt: 310, dir: "/jobs/a", hasWork: true, messages: { discord: "17" } } as const;

const CASES_OF_RETRIES = [
  createStarting("a", RETRY),
  createRunning("a", RETRY),
  createQueued("a", { past: PAST }),
].flatMap((job) =>
  (
    [
      { kind: "exit", at: 5, exitCode: 9, cause: "exit" },
      { kind: "lose", at: 5, reason: "Lost: the machine restarted", cause: "machine" },
      { kind: "give_up", at: 5 },
    ] as const
  ).map((event) => ({ job, event })),
);

const apply = (job: Job, event: JobEvent): Job => {
  const next = applyJobEvent(freeze(job), freeze(event));
  if (!next.ok) throw new Error(next.error.message);
  return next.value;
};

describe("applyJobEvent", () => {
  test("does what the table allows and nothing else, to every status by every event", () => {
    for (const { job, event } of CASES) {
      const allowed = TRANSITIONS[job.status][event.kind];
      const next = applyJobEvent(freeze(job), freeze(event));
      expect({ from: job.status, by: event.kind, ok: next.ok }).toEqual({
        from: job.status,
        by: event.kind,
        ok: allowed !== undefined,
      });
      if (next.ok) expect(allowed).toContain(next.value.status);
    }
  });

  test("every move of the table happens, and no other: none leads out of an end, none back from running", () => {
    const seen = new Set(
      [...CASES, ...CASES_OF_RETRIES].flatMap(({ job, event }) => {
        const next = applyJobEvent(job, event);
        return next.ok ? [`${job.status} ${event.kind} ${next.value.status}`] : [];
      }),
    );
    const listed = Object.entries(TRANSITIONS).flatMap(([from, moves]) =>
      Object.entries(moves).flatMap(([kind, statuses]) => statuses.map((to) => `${from} ${kind} ${to}`)),
    );
    expect([...seen].toSorted()).toEqual(listed.toSorted());
    expect(listed.toSorted()).toEqual(MOVES.toSorted());
  });

  test.each([
    [0, "completed", null],
    [1, "failed", "Job failed with exit code 1"],
    [137, "failed", "Job was terminated by signal 9 (SIGKILL)"],
  ])("exit code %p ends a job as %s", (exitCode, status, errorMessage) => {
    for (const job of [createStarting("a"), createRunning("a"), createRunning("a", { markedForKill: true })]) {
      expect(apply(job, { kind: "exit", at: 700, exitCode })).toMatchObject({
        status,
        exitCode,
        errorMessage,
        completedAt: 700,
        envNames: job.envNames,
      } as Partial<Job>);
    }
  });

  test("a job that failed by a cause of its retries is queued again, in its place, with what its attempt left", () => {
    const running = createRunning("a", {
      ...RETRY,
      priority: 3,
      startedAt: 200,
      notificationMessages: { discord: "17" },
    });
    const again = apply(running, {
      kind: "exit",
      at: 300,
      exitCode: 9,
      reason: "it failed",
      cause: "exit",
      hasWork: true,
    });
    expect(again).toEqual({ ...createQueued("a", { ...RETRY, priority: 3 }), past: PAST });
    const started = apply(again, { kind: "start", at: 400, gpuIdxs: [1], dir: "/jobs/a" });
    const next = apply(started, { kind: "launch", handle: HANDLE });
    expect(next).toMatchObject({ status: "running", past: PAST, notificationMessages: { discord: "17" } });
    const last = apply(next, { kind: "exit", at: 500, exitCode: 0 });
    expect(last).toMatchObject({ status: "completed", exitCode: 0, past: PAST } as Partial<Job>);
  });

  test("no other failure is tried again, nor one too many, nor one after a kill was asked for", () => {
    const exit = { kind: "exit", at: 300, exitCode: 9, cause: "exit" } as const;
    const fail = (job: Partial<RunningJob>, event: JobEvent = exit): string =>
      apply(createRunning("a", job), event).status;
    expect(fail(RETRY)).toBe("queued");
    expect(fail({})).toBe("failed");
    expect(fail({ retry: null })).toBe("failed");
    expect(fail(RETRY, { ...exit, cause: "oom" })).toBe("failed");
    expect(fail(RETRY, { ...exit, exitCode: 0 })).toBe("completed");
    expect(fail(RETRY, { kind: "lose", at: 300, reason: "Could not unpack the artifact", cause: null })).toBe("failed");
    expect(fail({ ...RETRY, markedForKill: true })).toBe("failed");
    const tried = { ...PAST, attempts: Array(3).fill(ATTEMPT) };
    expect(fail({ ...RETRY, past: tried })).toBe("failed");
    const halt = { cause: "time", limitS: 60 } as const;
    const lose = { kind: "lose", at: 300, reason: "Lost: its session ended", cause: "machine" } as const;
    expect(fail({ ...RETRY, halt }, lose)).toBe("failed");
    expect(fail({ retry: { count: 1, causes: ["time"] }, halt }, lose)).toBe("queued");
    expect(fail({ retry: { count: 1, causes: ["time"] }, halt, markedForKill: true }, lose)).toBe("failed");
  });

  test("attempts are 10 s, 1 min, then 5 min apart", () => {
    let job: Job = createQueued("a", { retry: { count: 4, causes: ["exit"] } });
    const delays: number[] = [];
    for (const at of [1000, 2000, 3000, 4000]) {
      job = apply(job, { kind: "start", at, gpuIdxs: [0], dir: "/jobs/a" });
      job = apply(job, { kind: "exit", at: at + 100, exitCode: 9, cause: "exit" });
      delays.push((job.past?.retryAt ?? 0) - at - 100);
    }
    expect(delays).toEqual([10, 60, 300, 300]);
  });

  test("a launch that is taken back is no attempt, and takes none away", () => {
    const started = apply(createQueued("a", { past: PAST }), { kind: "start", at: 400, gpuIdxs: [1], dir: "/jobs/a" });
    expect(apply(started, { kind: "requeue", at: 410 })).toEqual(createQueued("a", { past: PAST }));
  });

  test("a job that waits for another attempt and is given up has been killed, with what its last attempt left", () => {
    expect(apply(createQueued("a", { past: PAST }), { kind: "give_up", at: 305 })).toMatchObject({
      ...{ status: "killed", startedAt: 200, completedAt: 305, exitCode: null, errorMessage: null, dir: "/jobs/a" },
      ...{ past: PAST, outputs: { ...NO_OUTPUTS, state: "moving" }, notificationMessages: { discord: "17" } },
    } as Partial<Job>);
    expect(applyJobEvent(createQueued("a"), { kind: "give_up", at: 305 }).ok).toBe(false);
  });

  test("a job that its limit ended has failed, unless its exit code was there before or a kill was asked for before", () => {
    const halt = { kind: "halt", halt: { cause: "time", limitS: 7200 } } as const;
    const lose = { kind: "lose", at: 700, reason: "Lost: its session ended" } as const;
    const halted = apply(createRunning("a"), halt);
    const failed = { status: "failed", exitCode: null, errorMessage: "Time limit of 2 h reached" } as Partial<Job>;
    expect(apply(halted, lose)).toMatchObject(failed);
    expect(apply(apply(halted, { kind: "mark_for_kill" }), lose)).toMatchObject(failed);
    expect(apply(halted, { kind: "requeue", at: 700 })).toMatchObject(failed);
    expect(apply(halted, { kind: "exit", at: 700, exitCode: 0 })).toMatchObject({ status: "completed", exitCode: 0 });
    const killed = apply(createRunning("a", { markedForKill: true }), halt);
    expect(apply(killed, lose)).toMatchObject({ status: "killed", errorMessage: null });
  });

  test("a job whose processes are gone is killed if it was marked for that, else failed with the reason", () => {
    const event: JobEvent = { kind: "lose", at: 700, reason: "Lost: the machine restarted" };
    expect(apply(createRunning("a"), event)).toMatchObject({
      status: "failed",
      exitCode: null,
      errorMessage: "Lost: the machine restarted",
    });
    expect(apply(createRunning("a", { markedForKill: true }), event)).toMatchObject({
      status: "killed",
      exitCode: null,
      errorMessage: null,
    });
  });

  test("what is reported of a job is kept, whatever its status, and nothing else changes", () => {
    const reports = { wandbUrl: "https://wandb.ai/x", notificationMessages: { discord_completed: "7" } };
    const kept = JOBS.filter((job) => TRANSITIONS[job.status].report !== undefined);
    expect(kept).toHaveLength(5);
    for (const job of kept) expect(apply(job, { kind: "report", reports })).toEqual({ ...job, ...reports } as Job);
  });

  test("a hint at why a job failed follows its exit code", () => {
    const fail = (hint?: string) =>
      apply(createRunning("a"), { kind: "exit", at: 5, exitCode: 1, ...(hint === undefined ? {} : { hint }) });
    expect(fail("The disk was full")).toMatchObject({ errorMessage: "Job failed with exit code 1. The disk was full" });
    expect(fail()).toMatchObject({ errorMessage: "Job failed with exit code 1" });
  });

  test("a job that could not start has no handle and no reports, but says where it was", () => {
    const ended = apply(createStarting("a"), { kind: "lose", at: 7, reason: "Could not start: no space" });
    expect(ended).toMatchObject({ handle: null, wandbUrl: null, notificationMessages: {}, dir: "/jobs/a" });
  });

  test("a start that is taken back leaves the job as it was queued", () => {
    const queued = createQueued("a", { numGpus: 2, requestedGpuIdxs: [1, 3] });
    const starting = apply(queued, { kind: "start", at: 5, gpuIdxs: [1, 3], dir: "/d" });
    expect(apply(starting, { kind: "requeue", at: 6 })).toEqual(queued);
  });

  test("a start that is taken back after somebody asked to kill the job ends it: it must not run", () => {
    const marked = createStarting("a", { markedForKill: true });
    const ended = { status: "killed", exitCode: null, errorMessage: null, completedAt: 300 };
    expect(apply(marked, { kind: "requeue", at: 300 })).toMatchObject(ended);
  });

  test("a job starts on as many GPUs as it needs, not on fewer or more", () => {
    const job = createQueued("a", { numGpus: 2 });
    const start = (gpuIdxs: readonly number[]) => applyJobEvent(job, { kind: "start", at: 5, gpuIdxs, dir: "/d" }).ok;
    expect([start([]), start([1]), start([1, 3]), start([0, 1, 3])]).toEqual([false, false, true, false]);
  });

  test("an edit changes what it names; another number of GPUs drops the GPUs asked for by index", () => {
    const queued = createQueued("a", { numGpus: 2, requestedGpuIdxs: [1, 3] });
    expect(apply(queued, { kind: "edit", priority: 5 })).toEqual({ ...queued, priority: 5 });
    expect(apply(queued, { kind: "edit", numGpus: 2 })).toEqual(queued);
    expect(apply(queued, { kind: "edit", numGpus: 1 })).toEqual({ ...queued, numGpus: 1, requestedGpuIdxs: [] });
    expect(apply(queued, { kind: "edit", numGpus: 0 })).toEqual({ ...queued, numGpus: 0, requestedGpuIdxs: [] });
  });

  test("a job does not end before it started, though the clock says so", () => {
    const ended = apply(createRunning("a", { startedAt: 500 }), { kind: "exit", at: 400, exitCode: 0 });
    expect(ended).toMatchObject({ startedAt: 500, completedAt: 500 });
  });

  test("the git tag of any job can be changed, and an empty edit changes nothing", () => {
    for (const job of JOBS) {
      expect(apply(job, { kind: "edit", gitTag: "v2" })).toEqual({ ...job, gitTag: "v2" });
      expect(apply(job, { kind: "edit" })).toEqual(job);
    }
  });

  test("a refusal names the job, its status as the wire calls it, and what may be done", () => {
    expect(applyJobEvent(createStarting("a"), { kind: "edit", priority: 1 })).toEqual({
      ok: false,
      error: { message: "Job a is running: only a queued job can be edited" },
    });
    expect(applyJobEvent(createQueued("a"), { kind: "mark_for_kill" })).toEqual({
      ok: false,
      error: { message: "Job a is queued: only a running job can be killed" },
    });
  });
});

describe("what a job made", () => {
  const end = (hasWork?: boolean): Job =>
    apply(createRunning("a"), { kind: "exit", at: 700, exitCode: 0, ...(hasWork === undefined ? {} : { hasWork }) });

  test.each([
    [true, "moving"],
    [false, "none"],
    [undefined, "none"],
  ])("is to be kept once its command had started: %p gives %s", (hasWork, state) => {
    expect(end(hasWork)).toMatchObject({ outputs: { ...NO_OUTPUTS, state } });
  });

  test("is accounted for when it is kept, and no line is said twice", () => {
    const once = apply(end(true), { kind: "account", outputs: { state: "failed" }, notes: ["a", "b"] });
    const twice = apply(once, { kind: "account", outputs: { state: "kept", files: 2, bytes: 7 }, notes: ["b", "c"] });
    expect(twice).toMatchObject({ outputs: { state: "kept", files: 2, bytes: 7 }, notes: ["a", "b", "c"] });
  });
});
