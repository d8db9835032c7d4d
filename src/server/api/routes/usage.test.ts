import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { Usage } from "../../../wire/usage/usage.ts";

const STARTED_AT = 1_699_990_000;

const open = async () => {
  const harness = createHarness();
  const add = async (id: string, fields: object, gpuIdxs: readonly number[]) => {
    await harness.submit({ job_id: id, num_gpus: gpuIdxs.length, ...fields });
    await harness.startJob(id, [...gpuIdxs], STARTED_AT);
    await harness.endJob(id, id === "c" ? "failed" : "completed", STARTED_AT + 3600);
  };
  await add("a", { user: "ann", name: "base" }, [0, 1]);
  await add("b", { user: "ann" }, []);
  await add("c", { user: "bob", name: "base" }, [1]);
  const read = async (query: string) => (await (await harness.call("GET", `/v1/usage?${query}`)).json()) as Usage;
  return { ...harness, read };
};

test("use is told by user, name, batch or GPU, the most GPU hours first", async () => {
  const { read } = await open();
  const list = async (query: string) =>
    (await read(query)).groups.map(({ key, gpu_hours, jobs, failed }) => [key, gpu_hours, jobs, failed]);
  expect(await list("")).toEqual([
    ["ann", 2, 2, 0],
    ["bob", 1, 1, 1],
  ]);
  expect(await list("by=name")).toEqual([
    ["base", 3, 2, 1],
    [null, 0, 1, 0],
  ]);
  expect(await list("by=batch")).toEqual([[null, 3, 3, 1]]);
  expect(await list("by=gpu&user=bob")).toEqual([["1", 1, 1, 1]]);
});

test("only what lies within the time counts, and groups beyond the limit are counted", async () => {
  const { read, call } = await open();
  const { groups, left_out, users, since } = await read(`since=${STARTED_AT + 1800}&limit=1&by=name`);
  expect([groups.length, groups[0]?.gpu_hours, left_out, since]).toEqual([1, 1.5, 1, STARTED_AT + 1800]);
  expect(users).toEqual([
    { user: "ann", jobs: 2, gpu_hours: 1 },
    { user: "bob", jobs: 1, gpu_hours: 0.5 },
  ]);
  expect((await read(`since=${STARTED_AT + 3600}`)).groups).toEqual([]);
  for (const query of ["by=colour", "since=now", "limit=0"])
    expect((await call("GET", `/v1/usage?${query}`)).status).toBe(422);
});
