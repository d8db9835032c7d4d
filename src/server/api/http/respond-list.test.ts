import { expect, test } from "bun:test";
import { respondList } from "./respond-list.ts";

const slices = async function* (lists: readonly (readonly number[])[], onTake: (index: number) => void = () => {}) {
  for (const [index, list] of lists.entries()) {
    onTake(index);
    yield list;
  }
};

test.each([
  [[], []],
  [[[1, 2]], [1, 2]],
  [
    [[1], [2]],
    [1, 2],
  ],
  [
    [[1], [2, 3], [4], [5, 6]],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    [[], [1], [], [2], []],
    [1, 2],
  ],
])("the slices %j are the list %j", async (lists, whole) => {
  const response = await respondList(slices(lists));
  expect(response.headers.get("content-type")).toStartWith("application/json");
  expect(await response.json()).toEqual(whole);
});

test("a slice is taken when it is read", async () => {
  const taken: number[] = [];
  const response = await respondList(slices([[1], [2], [3], [4]], (index) => taken.push(index)));
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  await reader.read();
  expect(taken).toEqual([0, 1]);
  await reader.read();
  expect(taken).toEqual([0, 1, 2]);
  await reader.cancel();
});

test("who does not read on ends what is listed", async () => {
  let isOver = false;
  const endless = async function* () {
    try {
      for (;;) yield [1];
    } finally {
      isOver = true;
    }
  };
  const reader = (await respondList(endless())).body?.getReader();
  for (const _slice of ["begun", "next"]) await reader?.read();
  expect(isOver).toBe(false);
  await reader?.cancel();
  expect(isOver).toBe(true);
});
