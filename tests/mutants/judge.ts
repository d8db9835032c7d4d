import { applyBreak, type Break } from "./breaks.ts";
import type { Tests } from "./test-choice.ts";
import type { Outcome, Workplace } from "./workplace.ts";

/** `by` is the test file that saw the break, `passed` how many did not. */
export type Verdict = Readonly<{ kind: "killed" | "timed out"; by: string } | { kind: "survived"; passed: number }>;

/** One copy of the tree as it is, one to break. */
export type Bench = Readonly<{ whole: Workplace; broken: Workplace }>;

/** Judges a break by its tests, of which it runs those of each list that take no more than `budgetMs` together. */
export type Judge = (one: Break, tests: Tests, bench: Bench) => Promise<Verdict>;

const TEST_LIMIT_MS = 30_000;
const FACTOR = 3;
const START_MS = 10_000;

const runTest = (place: Workplace, test: string, limitMs: number): Promise<Outcome> => {
  const timeout = String(Math.min(TEST_LIMIT_MS, Math.ceil(limitMs)));
  return place.run([process.execPath, "test", "--bail", "--timeout", timeout, `./${test}`], limitMs);
};

type UsualMs = number | "too long";
type Desk = Readonly<{ budgetMs: number; times: Map<string, UsualMs>; onUseless: (test: string) => void }>;

const measureTest = async ({ budgetMs, times, onUseless }: Desk, place: Workplace, test: string): Promise<void> => {
  const first = await runTest(place, test, budgetMs);
  const last = first.kind === "failed" ? await runTest(place, test, budgetMs) : first;
  if (last.kind === "failed") onUseless(test);
  times.set(test, last.kind === "passed" ? last.ms : "too long");
};

const VERDICTS = { passed: "survived", failed: "killed", "timed out": "timed out" } as const;

const confirmFailure = async (desk: Desk, test: string, { whole, broken }: Bench): Promise<Verdict["kind"]> => {
  if (!desk.times.has(test)) await measureTest(desk, whole, test);
  const ms = desk.times.get(test);
  return typeof ms === "number" ? VERDICTS[(await runTest(broken, test, FACTOR * ms + START_MS)).kind] : "survived";
};

type Trial = Readonly<{ kind: Verdict["kind"]; ms: number; passed: number }>;

const judgeBy = async (
  { desk, test, limitMs }: Readonly<{ desk: Desk; test: string; limitMs: number }>,
  bench: Bench,
): Promise<Trial> => {
  const { kind, ms } = await runTest(bench.broken, test, limitMs);
  if (kind !== "passed") return { kind: await confirmFailure(desk, test, bench), ms, passed: 0 };
  desk.times.set(test, ms);
  return { kind: "survived", ms, passed: 1 };
};

const isTooLong = (ms: UsualMs | undefined, leftMs: number): boolean => ms === "too long" || (ms ?? 0) >= leftMs;

const runWithin = async (desk: Desk, tests: readonly string[], bench: Bench): Promise<Verdict> => {
  let [leftMs, passed] = [desk.budgetMs, 0];
  for (const test of tests) {
    const known = desk.times.get(test);
    if (leftMs <= 0 || isTooLong(known, leftMs)) continue;
    const limitMs = typeof known === "number" ? FACTOR * known + START_MS : desk.budgetMs;
    const trial = await judgeBy({ desk, test, limitMs }, bench);
    if (trial.kind !== "survived") return { kind: trial.kind, by: test };
    leftMs -= trial.ms;
    passed += trial.passed;
  }
  return { kind: "survived", passed };
};

const runAll = async (desk: Desk, { near, far }: Tests, bench: Bench): Promise<Verdict> => {
  const first = await runWithin(desk, near, bench);
  if (first.kind !== "survived") return first;
  const second = await runWithin(desk, far, bench);
  return second.kind === "survived" ? { kind: "survived", passed: first.passed + second.passed } : second;
};

/** `onUseless` hears of each test file that fails in the unbroken tree: it judges nothing. */
export const createJudge = (budgetMs: number, onUseless: (test: string) => void): Judge => {
  const desk: Desk = { budgetMs, times: new Map(), onUseless };
  return async (one, tests, bench) => {
    const source = bench.broken.read(one.path);
    bench.broken.write(one.path, applyBreak(one, source));
    try {
      return await runAll(desk, tests, bench);
    } finally {
      bench.broken.write(one.path, source);
    }
  };
};
