import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRunning } from "../../../../tests/support/samples.ts";
import { isActive, type JobId, type RunningJob } from "../jobs/job.ts";
import { applyJobEvent } from "../jobs/job-transition.ts";
import { chooseStallLimit, judgeStalls, type StallCounts, type StallLimit } from "./stall-watch.ts";

const MAX_GAP_S = 30;
const ID = "a" as JobId;

type Look = Readonly<{ at: number; mark: string | null }>;

type Told = Readonly<{ at: number; what: "told" | "ended" }>;

const watch = (looks: readonly Look[], limit: StallLimit): readonly Told[] => {
  let [before, job]: [StallCounts, RunningJob] = [new Map(), createRunning(ID)];
  return looks.flatMap(({ at, mark }) => {
    const facts = { stall: "idle" as const, jobs: [job], find: () => mark, limitOf: () => limit };
    const { counts, changes } = judgeStalls({ ...facts, before, nowS: at, maxGapS: MAX_GAP_S });
    before = counts;
    return changes.map(({ event }): Told => {
      const next = applyJobEvent(job, event);
      if (next.ok && isActive(next.value) && next.value.status === "running") job = next.value;
      return { at, what: event.kind === "halt" ? "ended" : "told" };
    });
  });
};

const countStalledS = (looks: readonly Look[], place: number): number => {
  const now = looks[place];
  if (now === undefined || now.mark === null) return -1;
  const isUnbroken = (from: number): boolean =>
    looks
      .slice(from, place + 1)
      .every(
        ({ mark, at }, index) =>
          mark === now.mark && (index === 0 || at - (looks[from + index - 1]?.at ?? 0) <= MAX_GAP_S),
      );
  const first = looks.findIndex((_, index) => index <= place && isUnbroken(index));
  return now.at - (looks[first]?.at ?? now.at);
};

const model = (looks: readonly Look[], { endS, warnS }: StallLimit): readonly Told[] => {
  const spans = looks.map(({ at }, place) => ({ at, forS: countStalledS(looks, place) }));
  const ended = spans.find(({ forS }) => endS !== null && forS >= endS);
  const told = spans.find(({ forS }) => warnS !== null && forS >= warnS);
  const isToldFirst = told !== undefined && (ended === undefined || told.at < ended.at);
  return [
    ...(isToldFirst ? [{ at: told.at, what: "told" as const }] : []),
    ...(ended === undefined ? [] : [{ at: ended.at, what: "ended" as const }]),
  ];
};

const looks = fc
  .array(fc.tuple(fc.constantFrom(10, 10, 10, 10, 30, 31), fc.constantFrom("x", "x", "x", "x", "x", "y", null)), {
    maxLength: 60,
  })
  .map((steps) => {
    let at = 0;
    return steps.map(([stepS, mark]) => {
      at += stepS;
      return { at, mark };
    });
  });

const seconds = fc.option(fc.integer({ min: 1, max: 150 }));

test("whatever is looked at when, a job is told of and ended as the unbroken time says, each once", () => {
  fc.assert(
    fc.property(looks, seconds, seconds, (all, endS, warnS) => {
      const limit = chooseStallLimit(endS, warnS);
      expect(watch(all, limit)).toEqual(model(all, limit));
    }),
  );
});

test("its owner is told at the time of the server where that comes first, else at half", () => {
  expect([
    chooseStallLimit(3600, null),
    chooseStallLimit(3600, 600),
    chooseStallLimit(3600, 3600),
    chooseStallLimit(null, 600),
    chooseStallLimit(null, null),
  ]).toEqual([
    { endS: 3600, warnS: 1800 },
    { endS: 3600, warnS: 600 },
    { endS: 3600, warnS: 1800 },
    { endS: null, warnS: 600 },
    { endS: null, warnS: null },
  ]);
});

test("another attempt begins the count anew", () => {
  const facts = { stall: "silence" as const, find: () => "x", limitOf: () => ({ endS: 20, warnS: null }), maxGapS: 30 };
  const jobs = [createRunning(ID, { startedAt: 1 })];
  const { counts } = judgeStalls({ ...facts, jobs, before: new Map(), nowS: 0 });
  const judge = (startedAt: number) =>
    judgeStalls({ ...facts, jobs: [createRunning(ID, { startedAt })], before: counts, nowS: 20 }).changes;
  expect([judge(1).length, judge(2).length]).toEqual([1, 0]);
});
