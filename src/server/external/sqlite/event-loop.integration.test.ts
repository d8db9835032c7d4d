import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { addJobs, createQueued, listAll, makeFolder, openIn } from "../../../../tests/support/store.ts";

const fill = (folder: string, count: number): void => {
  const db = new Database(join(folder, "jobs.db"));
  const names = "status, priority, created_at, user, artifact_id, num_gpus, command, gpu_idxs, details";
  db.exec(`with recursive n(value) as (select 1 union all select value + 1 from n limit ${count})
    insert into jobs (id, ${names}) select 'j' || value, ${names} from n, jobs where id = 'q'`);
  db.close();
};

const watchTurns = (readProgress: () => number) => {
  let turns = 0;
  let last = 0;
  let longest = 0;
  let isOver = false;
  const take = (): void => {
    turns += 1;
    longest = Math.max(longest, readProgress() - last);
    last = readProgress();
    if (!isOver) setImmediate(take);
  };
  setImmediate(take);
  return {
    stop: () => {
      isOver = true;
    },
    countTurns: () => turns,
    longest: () => longest,
  };
};

const createSlowMatcher = () => {
  let count = 0;
  const matchesText = (): boolean => {
    count += 1;
    const until = performance.now() + 0.003;
    while (performance.now() < until);
    return false;
  };
  return { matchesText, count: () => count };
};

test("a search of 60 000 jobs and a list of 10 000 give everything else its turn", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("q")]);
  fill(folder, 60_000);
  const matcher = createSlowMatcher();
  const search = watchTurns(matcher.count);
  expect(await listAll(store, { matchesText: matcher.matchesText })).toEqual([]);
  search.stop();
  expect(matcher.count()).toBe(60_001);
  expect(search.longest()).toBeWithin(1, 2000);
  const list = watchTurns(() => 0);
  expect(await listAll(store, { limit: 10_000 })).toHaveLength(10_000);
  list.stop();
  expect(list.countTurns()).toBeGreaterThanOrEqual(90);
}, 20_000);

test("what is written during a search is not waited for, and the search is of one moment", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("q")]);
  fill(folder, 5000);
  const { matchesText, count } = createSlowMatcher();
  const search = listAll(store, { matchesText });
  await addJobs(store, [createQueued("late")]);
  expect(store.countJobs().queued).toBe(5002);
  expect(count()).toBeLessThan(5001);
  await search;
  expect(count()).toBe(5001);
});
