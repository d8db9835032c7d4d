import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ProcessSource, takeCensus } from "./census.ts";
import type { Label, Process } from "./process-table.ts";

const JOB = "abc123";

type Play = Readonly<{ source: ProcessSource; alive: () => number; moves: () => number }>;

const describe = (pid: number): Process => ({ pid, name: "x", parentPid: 1, sessionId: pid, startTicks: pid });

const playHandOver = (others: readonly number[], mayMove: () => boolean): Play => {
  let alive = Math.max(1, ...others) + 1;
  let moves = 0;
  const move = (): void => {
    if (!mayMove()) return;
    alive += 1;
    moves += 1;
  };
  const listPids = (): readonly number[] => {
    const listed: number[] = [];
    for (const pid of others.toSorted((a, b) => a - b)) {
      move();
      listed.push(pid);
    }
    move();
    listed.push(alive);
    move();
    return listed;
  };
  const readProcess = (pid: number): Process | null => {
    move();
    return pid === alive || others.includes(pid) ? describe(pid) : null;
  };
  const readLabel = (pid: number): Label => {
    move();
    if (others.includes(pid)) return { kind: "none" };
    return pid === alive ? { kind: "job", id: JOB } : { kind: "gone" };
  };
  return {
    source: { listPids, readProcess, readLabel, pause: async () => move() },
    alive: () => alive,
    moves: () => moves,
  };
};

test("a job that lives, however fast its processes hand over, is seen, or the census says that it is not whole", async () => {
  const others = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(others, fc.infiniteStream(fc.boolean()), async (pids, moves) => {
      const { source } = playHandOver(pids, () => moves.next().value);
      const { labels, isWhole } = await takeCensus(source);
      expect((labels.get(JOB)?.size ?? 0) > 0 || !isWhole).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("one that hands over at each question is not seen, and the census ends and says so", async () => {
  const { source } = playHandOver([1, 2], () => true);
  const { labels, isWhole } = await takeCensus(source);
  expect([labels.get(JOB), isWhole]).toEqual([undefined, false]);
});

test("one that ends between two questions has its child listed", async () => {
  const moments = [false, false, false, false, true];
  const { source, moves } = playHandOver([1], () => moments.shift() ?? false);
  const { labels, isWhole } = await takeCensus(source);
  expect([moves(), [...(labels.get(JOB) ?? [])], isWhole]).toEqual([1, [3], true]);
});

test("a quiet machine is listed once", async () => {
  let listings = 0;
  const { source } = playHandOver([1, 2], () => false);
  const listPids = (): readonly number[] => {
    listings += 1;
    return source.listPids();
  };
  expect((await takeCensus({ ...source, listPids })).isWhole).toBe(true);
  expect(listings).toBe(1);
});

test("one that is becoming another program is asked again until it says, or is not counted on", async () => {
  const becoming = (polls: number): ProcessSource => {
    let asked = 0;
    const readLabel = (): Label => {
      asked += 1;
      return asked > polls ? { kind: "job", id: JOB } : { kind: "unsettled" };
    };
    return { listPids: () => [7], readProcess: describe, readLabel, pause: async () => undefined };
  };
  expect((await takeCensus(becoming(20))).labels.get(JOB)).toEqual(new Set([7]));
  expect(await takeCensus(becoming(1000))).toMatchObject({ isWhole: false });
});
