import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, spyOn, test } from "bun:test";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  createRunning,
  listAll,
  makeFolder,
  openIn,
} from "../../../../tests/support/store.ts";
import type { JobFilter, Store } from "../../core/store.ts";

const PAGE: JobFilter = { limit: 100, offset: 0 };

type Recorder = Readonly<{ store: Store; explain: (read: () => unknown) => Promise<readonly string[]> }>;

const openRecorded = (folder: string): Recorder => {
  const recorder = spyOn(Database.prototype, "query");
  onTestFinished(() => recorder.mockRestore());
  const store = openIn(folder);
  const reader = new Database(join(folder, "jobs.db"), { readonly: true });
  onTestFinished(() => reader.close());
  const explain = async (read: () => unknown): Promise<readonly string[]> => {
    await read();
    const texts = recorder.mock.calls.map(([sql]) => sql);
    const lists = texts.filter((sql) => /^select .* from jobs/s.test(sql) && sql.includes("order by"));
    return [...new Set(lists)].map((sql) =>
      reader
        .prepare<{ detail: string }, []>(`explain query plan ${sql}`)
        .all()
        .map(({ detail }) => detail)
        .join("; "),
    );
  };
  return { store, explain };
};

const READS: readonly (readonly [string, (store: Store) => unknown])[] = [
  ["the first page of all jobs", (store) => listAll(store, PAGE)],
  ["a later page of all jobs", (store) => listAll(store, { ...PAGE, offset: 70_000 })],
  ["the queued jobs", (store) => listAll(store, { ...PAGE, statuses: ["queued"] })],
  ["the running jobs", (store) => listAll(store, { ...PAGE, statuses: ["running"] })],
  ["the completed jobs", (store) => listAll(store, { ...PAGE, statuses: ["completed"] })],
  ["the ended jobs", (store) => listAll(store, { ...PAGE, statuses: ["completed", "failed", "killed"] })],
  ["two kinds of ended jobs", (store) => listAll(store, { ...PAGE, statuses: ["failed", "killed"] })],
  ["one user's jobs", (store) => listAll(store, { ...PAGE, user: "ada" })],
  ["one user's queued jobs", (store) => listAll(store, { ...PAGE, user: "ada", statuses: ["queued"] })],
  ["one user's failed jobs", (store) => listAll(store, { ...PAGE, user: "ada", statuses: ["failed"] })],
  ["the jobs of a GPU", (store) => listAll(store, { ...PAGE, gpuIndex: 1 })],
  ["the jobs of a command", (store) => listAll(store, { ...PAGE, matchesText: () => true })],
  ["the queue", (store) => store.loadQueuedJobs()],
  ["the head of the queue of CPU jobs", (store) => store.loadQueuedJobs({ needs: "cpu", limit: 1 })],
  ["the queue of GPU jobs", (store) => store.loadQueuedJobs({ needs: "gpu" })],
  [
    "the jobs that decide",
    (store) =>
      store.loadDecidingJobs(
        () => 1,
        () => 0,
      ),
  ],
  ["the newest time of the queue", (store) => store.readNewestQueued()],
  ["the active jobs", (store) => store.loadActiveJobs()],
  ["the job whose files are to be kept next", (store) => store.findMovingJob()],
  ["what a command of one user had of a GPU's memory", (store) => store.findVramPeak("ada", "true")],
  ["one user's jobs whose files go soon", (store) => store.listExpiring("ada", 3)],
];

describe("no sorting and no look at every job is needed for", () => {
  test.each(READS)("%s", async (_name, read) => {
    const { store, explain } = openRecorded(makeFolder());
    await addJobs(store, [createQueued("a"), createRunning("b"), createEnded("c")]);
    const plans = await explain(() => read(store));
    expect(plans.length).toBeGreaterThan(0);
    for (const plan of plans) {
      expect(plan).not.toContain("TEMP B-TREE");
      expect(plan).toMatch(/^(SCAN jobs USING (COVERING )?INDEX jobs_|SEARCH jobs USING )/);
    }
  });
});

const copyJob = (folder: string, id: string, count: number, time: string): void => {
  const db = new Database(join(folder, "jobs.db"));
  const names = db
    .query<{ name: string }, []>("select name from pragma_table_info('jobs') where name <> 'seq'")
    .all()
    .map(({ name }) => name);
  const values = names.map((name) => {
    if (name === "id") return "id || n.value";
    return name.endsWith("_at") ? `iif(${name} is null, null, ${time})` : name;
  });
  const numbers = `with recursive n(value) as (select 0 union all select value + 1 from n limit ${count})`;
  db.exec(`insert into jobs (${names}) ${numbers} select ${values} from n, jobs where id = '${id}'`);
  db.exec(`delete from jobs where id = '${id}'`);
  db.close();
};

test("among 100 000 jobs each page is the right one", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const third = 30_000;
  await addJobs(store, [
    createQueued("q"),
    createRunning("r"),
    createEnded("c"),
    createEnded("f", { status: "failed" }),
  ]);
  copyJob(folder, "q", third, "n.value");
  copyJob(folder, "c", third, "2 * n.value");
  copyJob(folder, "f", third, "2 * n.value + 1");
  copyJob(folder, "r", 10_000, "n.value");
  const list = async (filter: Partial<JobFilter>): Promise<readonly string[]> =>
    (await listAll(store, filter)).map(({ id }) => String(id));
  const count = (letter: string, from: number, step: number): readonly string[] =>
    Array.from({ length: 100 }, (_, index) => `${letter}${from + index * step}`);
  expect(store.countJobs()).toMatchObject({ queued: third, running: 10_000 });
  expect(await list({ offset: 9900 })).toEqual([...count("r", 99, -1)]);
  expect(await list({ offset: 10_000 })).toEqual([...count("q", 0, 1)]);
  expect(await list({ statuses: ["queued"], offset: 15_000 })).toEqual([...count("q", 15_000, 1)]);
  expect(await list({ statuses: ["failed"], offset: 20_000 })).toEqual([...count("f", 9999, -1)]);
  expect((await list({ offset: 40_000 })).slice(0, 4)).toEqual(["f29999", "c29999", "f29998", "c29998"]);
  expect(await list({ offset: 99_950 })).toHaveLength(50);
  expect(await list({ offset: 100_000 })).toEqual([]);
}, 30_000);
