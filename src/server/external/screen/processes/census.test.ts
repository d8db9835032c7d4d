import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ProcessSource, takeCensus } from "./census.ts";
import type { Label, Process } from "./process-table.ts";

const JOB = "abc123";

type Move = "none" | "hand over" | "start another" | "end another";
type Start = Readonly<{ others: readonly number[]; alive: number; lastPid: number }>;
type Play = Readonly<{ source: ProcessSource; moves: () => number }>;

const describe = (pid: number): Process => ({ pid, name: "x", parentPid: 1, sessionId: pid, startTicks: pid });

const MAX_PID = 100;
const MAX_OTHERS = 20;
const ALL_KINDS: readonly Move[] = ["none", "none", "hand over", "hand over", "start another", "end another"];

const playHandOver = (start: Start, nextMove: () => Move): Play => {
  const others = new Set(start.others);
  let { alive, lastPid } = start;
  let unborn: number | null = null;
  let moves = 0;
  const findFree = (from: number): number => {
    const pid = from > MAX_PID ? 1 : from;
    return others.has(pid) || pid === alive || pid === unborn ? findFree(pid + 1) : pid;
  };
  const givePid = (): number => {
    lastPid = findFree(lastPid + 1);
    return lastPid;
  };
  const handOver = (): void => {
    if (unborn === null) {
      unborn = givePid();
    } else {
      alive = unborn;
      unborn = null;
      moves += 1;
    }
  };
  const move = (): void => {
    const kind = nextMove();
    if (kind === "hand over") handOver();
    if (kind === "start another" && others.size < MAX_OTHERS) others.add(givePid());
    if (kind === "end another") others.delete([...others][0] ?? 0);
  };
  const findNext = (after: number): number | undefined =>
    [...others, alive].filter((pid) => pid > after).toSorted((a, b) => a - b)[0];
  const listPids = (): readonly number[] => {
    const listed: number[] = [];
    for (let next = findNext(0); next !== undefined; next = findNext(next)) {
      listed.push(next);
      move();
    }
    return listed;
  };
  const readProcess = (pid: number): Process | null => {
    move();
    return pid === alive || others.has(pid) ? describe(pid) : null;
  };
  const readLabel = (pid: number): Label => {
    move();
    if (others.has(pid)) return { kind: "none" };
    return pid === alive ? { kind: "job", id: JOB } : { kind: "gone" };
  };
  return {
    source: { listPids, readProcess, readLabel, readLastPid: () => lastPid, pause: async () => move() },
    moves: () => moves,
  };
};

const starts = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: MAX_PID }), { minLength: 1, maxLength: 12 }),
    fc.oneof(fc.integer({ min: 1, max: MAX_PID }), fc.integer({ min: 1, max: 20 }), fc.constant(MAX_PID)),
  )
  .map(([[alive = 1, ...others], lastPid]): Start => ({ others, alive, lastPid }));

const quiet: Start = { others: [1], alive: 2, lastPid: 2 };
const playMoves = (moves: readonly Move[]): (() => Move) => {
  const left = [...moves];
  return () => left.shift() ?? "none";
};

test("a job that lives, however fast its processes hand over, is seen, or the census says that it is not whole", async () => {
  await fc.assert(
    fc.asyncProperty(starts, fc.infiniteStream(fc.constantFrom(...ALL_KINDS)), async (start, moves) => {
      const { source } = playHandOver(start, () => moves.next().value);
      const { labels, isWhole } = await takeCensus(source);
      expect((labels.get(JOB)?.size ?? 0) > 0 || !isWhole).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test("one that hands over at each question is not seen, and the census ends and says so", async () => {
  const start: Start = { others: [1, 2], alive: 3, lastPid: 3 };
  const { source } = playHandOver(start, () => "hand over");
  const { isWhole } = await takeCensus(source);
  expect(isWhole).toBe(false);
});

test("one that ends between two questions has its child listed", async () => {
  const { source, moves } = playHandOver(quiet, playMoves(["none", "none", "none", "none", "hand over", "hand over"]));
  const { labels, isWhole } = await takeCensus(source);
  expect([moves(), [...(labels.get(JOB) ?? [])], isWhole]).toEqual([1, [3], true]);
});

test("one whose child has a lower pid, for pids have begun anew since it was started, is not taken for gone", async () => {
  for (const lastPid of [MAX_PID, 6]) {
    const start: Start = { others: [5], alive: MAX_PID, lastPid };
    const { source, moves } = playHandOver(start, playMoves(["hand over", "hand over"]));
    const { labels, isWhole } = await takeCensus(source);
    expect([moves(), labels.get(JOB)?.size, isWhole]).toEqual([1, 1, true]);
  }
});

test("a quiet machine is listed twice, and each process asked once", async () => {
  const asked: (number | "all")[] = [];
  const { source } = playHandOver(quiet, () => "none");
  const listPids = (): readonly number[] => {
    asked.push("all");
    return source.listPids();
  };
  const readLabel = (pid: number): Label => {
    asked.push(pid);
    return source.readLabel(pid);
  };
  expect((await takeCensus({ ...source, listPids, readLabel })).isWhole).toBe(true);
  expect(asked).toEqual(["all", 1, 2, "all"]);
});

test("one that is becoming another program is asked again until it says, or is not counted on", async () => {
  const becoming = (polls: number): ProcessSource => {
    let asked = 0;
    const readLabel = (): Label => {
      asked += 1;
      return asked > polls ? { kind: "job", id: JOB } : { kind: "unsettled" };
    };
    return {
      listPids: () => [7],
      readProcess: describe,
      readLabel,
      readLastPid: () => 7,
      pause: async () => undefined,
    };
  };
  expect((await takeCensus(becoming(20))).labels.get(JOB)).toEqual(new Set([7]));
  expect(await takeCensus(becoming(1000))).toMatchObject({ isWhole: false });
});
