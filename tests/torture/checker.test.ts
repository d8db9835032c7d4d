import { describe, expect, test } from "bun:test";
import { findEarlyFindings, findFindings } from "./checker.ts";
import type { Evidence, StoredJob, WitnessLine } from "./evidence.ts";
import type { Answer, Event } from "./history.ts";
import type { Behaviour, JobPlan } from "./jobs.ts";

const plan = (mark: string, overrides: Partial<JobPlan> = {}): JobPlan => ({
  mark,
  jobId: null,
  behaviour: { kind: "exit", code: 3, sleepMs: 0 },
  numGpus: 1,
  gpuIdxs: [],
  priority: 0,
  runNow: false,
  ...overrides,
});

const answer = (status: number): Answer => ({ status, body: null });

const submitted = (job: JobPlan, id: string | null = `id-${job.mark}`, status: number | null = 201): Event => ({
  kind: "submit",
  jobs: [job],
  ids: status === 201 && id !== null ? [id] : null,
  answer: status === null ? null : answer(status),
});

const stored = (mark: string, overrides: Partial<StoredJob> = {}): StoredJob => ({
  id: `id-${mark}`,
  mark,
  variant: 0,
  status: "failed",
  exitCode: 3,
  errorMessage: null,
  priority: 0,
  numGpus: 1,
  gpuIdxs: [0],
  hasEnvironment: false,
  startedAt: null,
  completedAt: null,
  vramMib: null,
  ...overrides,
});

type StartOf = Partial<Extract<WitnessLine, { kind: "start" }>>;

const began = (mark: string, at: number, overrides: StartOf = {}): WitnessLine => ({
  kind: "start",
  mark,
  variant: 0,
  id: `id-${mark}`,
  gpus: "0",
  at,
  ...overrides,
});

const ended = (mark: string, at: number, code = 3): WitnessLine => ({ kind: "end", mark, code, at });

const KEPT = ["outputs/made/in-repo", "outputs/own", "outputs/own~1"];

const createEvidence = (
  database: readonly StoredJob[],
  witness: readonly WitnessLine[],
  overrides: Partial<Evidence> = {},
): Evidence => ({
  api: database,
  database,
  counters: {},
  blacklist: [],
  witness,
  made: Object.fromEntries(
    witness.flatMap((line) =>
      line.kind === "start" ? [[line.mark, KEPT.map((place) => `${place} ${line.mark}`)]] : [],
    ),
  ),
  exitFiles: Object.fromEntries(
    database.flatMap(({ id, exitCode }) => (exitCode === null ? [] : [[id, String(exitCode)]])),
  ),
  leftovers: [],
  ...overrides,
});

const HISTORY = [submitted(plan("a")), submitted(plan("b"))];
const DATABASE = [stored("a"), stored("b")];
const WITNESS = [began("a", 1), ended("a", 2), began("b", 3), ended("b", 4)];

const HELD: Behaviour = { kind: "held" };
const KILLED = stored("a", { status: "killed", exitCode: null });
const KILL: Event = { kind: "kill", mark: "a", answer: answer(204) };
const REMOVED: Event = { kind: "remove", mark: "a", answer: answer(204) };

const editing = (status: number | null): Event => ({
  kind: "edit",
  mark: "a",
  patch: { priority: 9 },
  answer: status === null ? null : answer(status),
});

describe("a history in which all is well", () => {
  test.each<[string, readonly Event[], Evidence]>([
    ["two that ran one after the other", HISTORY, createEvidence(DATABASE, WITNESS)],
    ["an unanswered submission that is not there", [submitted(plan("a"), null, null)], createEvidence([], [])],
    [
      "an unanswered submission that is there",
      [submitted(plan("a"), null, null)],
      createEvidence([stored("a")], [began("a", 1), ended("a", 2)]),
    ],
    ["a removed one", [submitted(plan("a")), REMOVED], createEvidence([], [])],
    [
      "an unanswered removal, whatever came of it",
      [submitted(plan("a")), { kind: "remove", mark: "a", answer: null }],
      createEvidence([], []),
    ],
    [
      "one that ran for ever and was killed",
      [submitted(plan("a", { behaviour: HELD })), KILL],
      createEvidence([KILLED], [began("a", 1)]),
    ],
    [
      "an unanswered edit that is not there",
      [submitted(plan("a")), editing(null)],
      createEvidence([stored("a")], [began("a", 1), ended("a", 2)]),
    ],
  ])("has no finding: %s", (_what, history, evidence) => {
    expect(findFindings(history, evidence)).toEqual([]);
  });
});

describe("a doctored history", () => {
  const seen = (history: readonly Event[], evidence: Evidence): readonly string[] =>
    findFindings(history, evidence).map((finding) => finding.slice(0, finding.indexOf(":")));

  const withJob = (overrides: Partial<StoredJob>): Evidence =>
    createEvidence([stored("a", overrides), stored("b")], WITNESS);

  test.each<[string, string, readonly Event[], Evidence]>([
    ["a lost job", "lost", HISTORY, createEvidence([stored("b")], WITNESS)],
    [
      "a job stored twice",
      "twice",
      HISTORY,
      createEvidence([...DATABASE, stored("a", { id: "other", gpuIdxs: [0] })], WITNESS),
    ],
    [
      "a retry that was given another id",
      "twice",
      [...HISTORY, submitted(plan("a"), "id-c")],
      createEvidence(DATABASE, WITNESS),
    ],
    [
      "an unanswered submission stored twice",
      "twice",
      [submitted(plan("a"), null, null), HISTORY[1] as Event],
      createEvidence([...DATABASE, stored("a", { id: "other" })], WITNESS),
    ],
    ["a double run", "ran twice", HISTORY, createEvidence(DATABASE, [...WITNESS, began("a", 9)])],
    ["a wrong code", "wrong end", HISTORY, withJob({ exitCode: 4 })],
    ["a failure told as a success", "wrong end", HISTORY, withJob({ status: "completed" })],
    ["a job that was lost while it ran", "wrong end", HISTORY, withJob({ exitCode: null, errorMessage: "Lost" })],
    ["a kill that nobody asked for", "wrong end", HISTORY, withJob({ status: "killed", exitCode: null })],
    [
      "a code that the job did not write",
      "wrong code",
      HISTORY,
      createEvidence(
        DATABASE,
        WITNESS.map((line) => (line.kind === "end" ? { ...line, code: 5 } : line)),
      ),
    ],
    ["a job that never ended", "never ended", HISTORY, withJob({ status: "running", exitCode: null })],
    [
      "an end without a run",
      "ended and never ran",
      HISTORY,
      createEvidence(
        DATABASE,
        WITNESS.filter(({ mark }) => mark === "b"),
      ),
    ],
    [
      "a kill without a TERM",
      "TERM lost",
      [submitted(plan("a", { behaviour: { kind: "trap", code: 0 } })), KILL],
      createEvidence([KILLED], [began("a", 1)]),
    ],
    ["a wrong GPU", "wrong GPU", HISTORY, withJob({ gpuIdxs: [1] })],
    [
      "fewer GPUs than asked for",
      "wrong GPUs",
      HISTORY,
      createEvidence(
        [stored("a", { gpuIdxs: [] }), stored("b")],
        WITNESS.map((line) => (line.mark === "a" && line.kind === "start" ? { ...line, gpus: "" } : line)),
      ),
    ],
    [
      "two on one GPU, by their times",
      "two on one GPU",
      HISTORY,
      createEvidence(DATABASE, [began("a", 1), began("b", 2), ended("a", 3), ended("b", 4)]),
    ],
    [
      "two on one GPU, by its lock",
      "two on one GPU",
      HISTORY,
      createEvidence(DATABASE, [...WITNESS, { kind: "clash", mark: "a", gpu: "0" }]),
    ],
    ["a removed job that is there", "removed and stored", [...HISTORY, REMOVED], createEvidence(DATABASE, WITNESS)],
    ["a removed job that ran", "removed and ran", [...HISTORY, REMOVED], createEvidence([stored("b")], WITNESS)],
    [
      "a refused submission that is there",
      "refused and stored",
      [submitted(plan("a"), null, 503), HISTORY[1] as Event],
      createEvidence(DATABASE, WITNESS),
    ],
    ["a lost edit", "edit lost", [...HISTORY, editing(200)], createEvidence(DATABASE, WITNESS)],
    ["a refused edit that was made", "edit lost", [...HISTORY, editing(400)], withJob({ priority: 9 })],
    ["an environment that was kept", "environment kept", HISTORY, withJob({ hasEnvironment: true })],
    [
      "a job that saw the server's variables",
      "variables of the server",
      HISTORY,
      createEvidence(DATABASE, [...WITNESS, { kind: "leak", mark: "a", names: "NS_API_TOKEN" }]),
    ],
    [
      "an API that tells something else",
      "API and database differ",
      HISTORY,
      createEvidence(DATABASE, WITNESS, { api: [stored("a", { exitCode: 4 }), stored("b")] }),
    ],
    ["a wrong counter", "wrong counter", HISTORY, createEvidence(DATABASE, WITNESS, { counters: { failed: 1 } })],
    [
      "another exit_code file",
      "wrong exit_code file",
      HISTORY,
      createEvidence(DATABASE, WITNESS, { exitFiles: { "id-a": "3" } }),
    ],
    [
      "a retry that was refused",
      "odd answer",
      [...HISTORY, submitted(plan("a"), null, 409)],
      createEvidence(DATABASE, WITNESS),
    ],
    [
      "a blacklist that forgot",
      "blacklist lost",
      [...HISTORY, { kind: "blacklist", gpu: 1, isListed: true, answer: answer(200) }],
      createEvidence(DATABASE, WITNESS),
    ],
    [
      "a job that nobody submitted",
      "nobody submitted",
      HISTORY,
      createEvidence([...DATABASE, stored("c")], [...WITNESS, began("c", 8), ended("c", 9)]),
    ],
    ["a leftover", "left over", HISTORY, createEvidence(DATABASE, WITNESS, { leftovers: ["process 7"] })],
  ])("is seen: %s", (_what, rule, history, evidence) => {
    expect(seen(history, evidence)).toContain(rule);
  });

  const NEEDED = stored("a", { startedAt: 1, completedAt: 2 });
  const chain = [submitted(plan("a")), submitted(plan("b", { after: ["id-a"] }))];
  const LEFT_OUT = {
    ...{ startedAt: null, exitCode: null, gpuIdxs: [], completedAt: 2 },
    errorMessage: "Job id-a, which it waits for, failed",
  };
  const WITNESS_OF_A = WITNESS.slice(0, 2);

  test("of a chain is well where those that wait for a job that failed have failed with it", () => {
    expect(seen(chain, createEvidence([NEEDED, stored("b", LEFT_OUT)], WITNESS_OF_A))).toEqual([]);
  });

  const any = [submitted(plan("a")), submitted(plan("b", { afterAny: ["id-a"] }))];
  const held = [submitted(plan("a", { isHeld: true }))];
  const release: Event = { kind: "release", mark: "a", askedAt: 5, answer: answer(200) };
  const drain = (isDrained: boolean, at: number): Event => ({
    ...{ kind: "drain", isDrained, askedAt: at, answeredAt: at, answer: answer(200) },
  });
  const shared = [submitted(plan("a", { vramMib: 5000 })), submitted(plan("b", { vramMib: 2000 }))];
  const together = [began("a", 1), began("b", 2), ended("a", 4), ended("b", 5)];
  const LIMITED = plan("a", { behaviour: { kind: "limited", limitS: 2, warnS: 1 } });
  const OVER = { exitCode: null, errorMessage: "Time limit of 2 s reached" };
  const batch: Event = {
    ...{ kind: "submit", jobs: [plan("a", { numGpus: 0 }), plan("b", { numGpus: 0 })], batchMax: 1 },
    ...{ ids: ["id-a", "id-b"], answer: answer(201) },
  };

  test.each<[string, string, readonly Event[], Evidence]>([
    ["a run after one that failed", "ran after one that failed", chain, createEvidence([NEEDED, stored("b")], WITNESS)],
    [
      "one that was not failed with what it waits for",
      "not failed with what it waits for",
      chain,
      createEvidence([NEEDED, stored("b", { ...LEFT_OUT, errorMessage: null })], WITNESS_OF_A),
    ],
    [
      "a start before what it waits for",
      "started before what it waits for",
      any,
      createEvidence([NEEDED, stored("b", { startedAt: 1.5, completedAt: 4 })], WITNESS),
    ],
    [
      "a start while it was held",
      "started while held",
      [...held, release],
      createEvidence([stored("a", { startedAt: 4, completedAt: 6 })], WITNESS_OF_A),
    ],
    [
      "a start while the server was drained",
      "started while drained",
      [...HISTORY, drain(true, 3), drain(false, 5)],
      createEvidence([stored("a", { startedAt: 4, completedAt: 6 }), stored("b")], WITNESS),
    ],
    [
      "more of a GPU than it has",
      "too much booked",
      [shared[0] as Event, submitted(plan("b", { vramMib: 3000 }))],
      createEvidence(DATABASE, together),
    ],
    [
      "one alone beside another",
      "two on one GPU",
      [shared[0] as Event, submitted(plan("b"))],
      createEvidence(DATABASE, together),
    ],
    [
      "too many of a batch at once",
      "too many of a batch",
      [batch],
      createEvidence(
        DATABASE.map((job) => ({ ...job, numGpus: 0, gpuIdxs: [] })),
        [began("a", 1, { gpus: "" }), began("b", 2, { gpus: "" }), ended("a", 4), ended("b", 5)],
      ),
    ],
    [
      "a second warning",
      "warned twice",
      [submitted(LIMITED)],
      createEvidence(
        [stored("a", { ...OVER, startedAt: 1, completedAt: 3 })],
        [began("a", 1), { kind: "warned", mark: "a" }, { kind: "warned", mark: "a" }],
      ),
    ],
    [
      "an end before the time limit",
      "ended before its limit",
      [submitted(LIMITED)],
      createEvidence([stored("a", { ...OVER, startedAt: 1, completedAt: 2 })], [began("a", 1)]),
    ],
  ])("of the queue is seen: %s", (_what, rule, history, evidence) => {
    expect(seen(history, evidence)).toContain(rule);
  });

  test("of GPUs that are shared is well within their memory, at the end and at each restart", () => {
    const running = (mark: string, vramMib: number) => stored(mark, { status: "running", exitCode: null, vramMib });
    expect(seen(shared, createEvidence(DATABASE, together))).toEqual([]);
    expect(findEarlyFindings(shared, [], [running("a", 5000), running("b", 2000)])).toEqual([]);
    expect(findEarlyFindings(shared, [], [running("a", 5000), running("b", 3000)])).toHaveLength(1);
  });

  test("is seen before all has ended: a lost job, a removed one that is back, an end that changed", () => {
    expect(findEarlyFindings(HISTORY, [], DATABASE)).toEqual([]);
    expect(findEarlyFindings(HISTORY, [], [stored("b")])).toHaveLength(1);
    expect(findEarlyFindings([...HISTORY, REMOVED], [], DATABASE)).toHaveLength(1);
    expect(findEarlyFindings(HISTORY, DATABASE, [stored("a", { exitCode: 4 }), stored("b")])).toHaveLength(1);
  });
});

test.each([
  ["that was lost", "in 0 places", ["outputs/made/in-repo a", "outputs/own a"]],
  ["that is in two places", "in 2 places", [...KEPT.map((place) => `${place} a`), "repo/made/in-repo a"]],
  ["of another job", "in 0 places", KEPT.map((place) => `${place} b`)],
  ["that was not kept", "not kept", ["outputs/made/in-repo a", "outputs/own a", "repo/own a"]],
])("a file %s is seen", (_what, rule, a) => {
  const findings = findFindings(HISTORY, createEvidence(DATABASE, WITNESS, { made: { a } }));
  expect(findings.some((finding) => finding.startsWith(rule))).toBe(true);
});
