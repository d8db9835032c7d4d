import { afterEach, expect, test } from "bun:test";
import { createPlainApi } from "../../../tests/support/plain-api.ts";
import { listJobs } from "./list-jobs.ts";

let stop: () => void = () => undefined;

afterEach(() => stop());

const name = (index: number): string => `j${index}`;
const nameAll = (count: number, from = 0): readonly string[] => Array.from({ length: count }, (_, i) => name(from + i));

const listWhileItChanges = async (
  start: readonly string[],
  changes: readonly ((list: readonly string[]) => readonly string[])[],
  most?: number,
): Promise<readonly string[]> => {
  let list = start;
  let answers = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const query = new URL(url).searchParams;
      if (answers > 0) list = changes[answers - 1]?.(list) ?? list;
      answers += 1;
      const offset = Number(query.get("offset"));
      return Response.json(list.slice(offset, offset + Number(query.get("limit"))).map((id) => ({ id })));
    },
  });
  stop = () => void server.stop(true);
  const jobs = await listJobs(createPlainApi(server.port), {
    statuses: ["queued"],
    ...(most === undefined ? {} : { most }),
  });
  if (!jobs.ok) throw new Error(jobs.error.message);
  return jobs.value.map(({ id }) => id);
};

const ALL = nameAll(25_000);
const leave = (count: number) => (list: readonly string[]) => list.slice(count);

test.each([
  ["fewer than a page", 3],
  ["just a page", 10_000],
  ["one more than a page", 10_001],
  ["none", 0],
])("all jobs come, each once: %s", async (_what, count) => {
  expect(await listWhileItChanges(ALL.slice(0, count), [])).toEqual(ALL.slice(0, count));
});

test("no more come than are asked for", async () => {
  expect(await listWhileItChanges(ALL, [], 10_050)).toEqual(ALL.slice(0, 10_050));
  expect(await listWhileItChanges(ALL, [], 1)).toEqual(ALL.slice(0, 1));
});

test("jobs that start while the queue is listed hide none of those behind them", async () => {
  expect(await listWhileItChanges(ALL, [leave(99), leave(99)])).toEqual(ALL);
  expect(await listWhileItChanges(ALL, [leave(100), leave(7000), leave(1)])).toEqual(ALL);
});

test("a queue that empties meanwhile is listed as far as it was seen", async () => {
  expect(await listWhileItChanges(ALL, [leave(25_000)])).toEqual(ALL.slice(0, 10_000));
});

test("jobs that end while the history is listed bring none of those before them twice", async () => {
  const end = (list: readonly string[]): readonly string[] => [...nameAll(500, 30_000), ...list];
  expect(await listWhileItChanges(ALL, [end])).toEqual(ALL);
});
