import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";

test("a job is told with the name and the note that it was sent with, and without where there are none", async () => {
  const { submit, call } = createHarness();
  expect(await submit({ name: "baseline", note: "first try\nof many" })).toMatchObject({
    name: "baseline",
    note: "first try\nof many",
  });
  expect(await submit()).toMatchObject({ name: null, note: null });
  expect(await submit({ name: null, note: null })).toMatchObject({ name: null, note: null });
  const listed = (await (await call("GET", "/v1/jobs")).json()) as readonly { name: string | null }[];
  expect(listed.map(({ name }) => name)).toEqual(["baseline", null, null]);
});

test.each([
  { name: "" },
  { name: "2nd" },
  { name: "a b" },
  { name: "a".repeat(65) },
  { name: "ä" },
  { name: 3 },
  { note: "" },
  { note: " \n" },
  { note: "a\0b" },
  { note: "ä".repeat(2049) },
])("%j is 422, in a request and in a patch", async (json) => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  const request = { command: "true", user: "ann", ...json };
  for (const answer of [
    await call("POST", "/v1/jobs", { json: request }),
    await call("PATCH", `/v1/jobs/${id}`, { json }),
  ])
    expect([answer.status, await answer.json()]).toMatchObject([422, { error: "VALIDATION_ERROR" }]);
});

test("name and note of a job can be changed whatever its status, and null takes them away", async () => {
  const { call, submit, startJob, endJob } = createHarness();
  const { id } = await submit({ name: "one", note: "kept" });
  const patch = async (json: object) => (await call("PATCH", `/v1/jobs/${id}`, { json })).json();
  expect(await patch({ name: "two" })).toMatchObject({ status: "queued", name: "two", note: "kept" });
  await startJob(id);
  expect(await patch({ name: "three" })).toMatchObject({ status: "running", name: "three", note: "kept" });
  await endJob(id, "failed");
  expect(await patch({ note: "diverged" })).toMatchObject({ status: "failed", name: "three", note: "diverged" });
  expect(await patch({ name: null, note: null })).toMatchObject({ name: null, note: null });
});

test("a patch of a job that has started changes nothing at all where one of its fields is not for it", async () => {
  const { call, submit, startJob } = createHarness();
  const { id } = await submit();
  await startJob(id);
  expect((await call("PATCH", `/v1/jobs/${id}`, { json: { name: "a", priority: 3 } })).status).toBe(400);
  expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({ name: null, priority: 0 });
});

test("a list is searched by command, name and note", async () => {
  const { call, submit } = createHarness();
  const jobs = [
    await submit({ command: "python train.py" }),
    await submit({ command: "true", name: "train-2" }),
    await submit({ command: "true", note: "like the train before" }),
    await submit({ command: "true", name: "other", note: "else" }),
  ];
  const found = (await (await call("GET", "/v1/jobs?command_regex=train")).json()) as readonly { id: string }[];
  expect(found.map(({ id }) => id)).toEqual(jobs.slice(0, 3).map(({ id }) => id));
});
