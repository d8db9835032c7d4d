import { applyBreak, type Break } from "./breaks.ts";
import type { Tests } from "./test-choice.ts";
import type { Outcome, Workplace } from "./workplace.ts";

/** `by` is the test file that saw the break, `passed` how many did not. */
export type Verdict = Readonly<{ kind: "killed" | "timed out"; by: string } | { kind: "survived"; passed: number }>;

/** One copy of the tree as it is, one to break. */
export type Bench = Readonly<{ whole: Workplace; broken: Workplace }>;

/** Judges a break by its tests, of which it runs those of each list that take no more than `budgetMs` together. */
export type Judge = (one: Break, tests: Tests, bench: Bench) => Promise<Verdict>;

const LONGEST_MS = 120_000;
const TEST_LIMIT_MS = 30_000;
const FACTOR = 3;
const START_MS = 10_000;

const runTest = (place: Workplace, test: string, limitMs: number): Promise<Outcome> => {
  const timeout = String(Math.min(TEST_LIMIT_MS, Math.ceil(limitMs)));
  return place.run([process.execPath, "test", "--bail", "--timeout", timeout, `./${test}`], limitMs);
};

const measureTest = async (place: Workplace, test: string): Promise<number | null> => {
  const outcomes = [await runTest(place, test, LONGEST_MS)];
  if (outcomes[0]?.kind === "failed") outcomes.push(await runTest(place, test, LONGEST_MS));
  return outcomes.find(({ kind }) => kind === "passed")?.ms ?? null;
};

const VERDICTS = { passed: "survived", failed: "killed", "timed out": "timed out" } as const;

const runBroken = async (place: Workplace, test: string, ms: number): Promise<Verdict["kind"]> => {
  const limitMs = FACTOR * ms + START_MS;
  const first = await runTest(place, test, limitMs);
  const last = first.kind === "failed" ? await runTest(place, test, limitMs) : first;
  return VERDICTS[last.kind];
};

type Timer = (test: string, place: Workplace) => Promise<number | null>;

const createTimer = (onUseless: (test: string) => void): Timer => {
  const times = new Map<string, Promise<number | null>>();
  const measure: Timer = async (test, place) => {
    const ms = await measureTest(place, test);
    if (ms === null) onUseless(test);
    return ms;
  };
  return (test, place) => {
    const time = times.get(test) ?? measure(test, place);
    times.set(test, time);
    return time;
  };
};

type Budget = Readonly<{ budgetMs: number; timeTest: Timer }>;

const runWithin = async (
  { budgetMs, timeTest }: Budget,
  tests: readonly string[],
  { whole, broken }: Bench,
): Promise<Verdict> => {
  let [leftMs, passed] = [budgetMs, 0];
  for (const test of tests) {
    const ms = (await timeTest(test, whole)) ?? budgetMs;
    if (ms >= leftMs) continue;
    const kind = await runBroken(broken, test, ms);
    if (kind !== "survived") return { kind, by: test };
    leftMs -= ms;
    passed++;
  }
  return { kind: "survived", passed };
};

const runAll = async (budget: Budget, { near, far }: Tests, bench: Bench): Promise<Verdict> => {
  const first = await runWithin(budget, near, bench);
  if (first.kind !== "survived") return first;
  const second = await runWithin(budget, far, bench);
  return second.kind === "survived" ? { kind: "survived", passed: first.passed + second.passed } : second;
};

/** `onUseless` hears of each test file that fails, or takes too long, in the unbroken tree: it judges nothing. */
export const createJudge = (budgetMs: number, onUseless: (test: string) => void): Judge => {
  const budget = { budgetMs, timeTest: createTimer(onUseless) };
  return async (one, tests, bench) => {
    const source = bench.broken.read(one.path);
    bench.broken.write(one.path, applyBreak(one, source));
    try {
      return await runAll(budget, tests, bench);
    } finally {
      bench.broken.write(one.path, source);
    }
  };
};
