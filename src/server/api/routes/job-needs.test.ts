import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { WireJob } from "../../../wire/job.ts";
import { changeJob, decideByEvent } from "../../changes/change-job.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";

type Harness = ReturnType<typeof createHarness>;

const ENDS: Readonly<Record<"completed" | "failed" | "killed", readonly JobEvent[]>> = {
  completed: [{ kind: "exit", at: 1_700_000_900, exitCode: 0 }],
  failed: [{ kind: "exit", at: 1_700_000_900, exitCode: 3 }],
  killed: [{ kind: "mark_for_kill" }, { kind: "lose", at: 1_700_000_900, reason: "gone" }],
};

const createEnder = (harness: Harness) => {
  const endThrough = async (id: string, end: keyof typeof ENDS): Promise<void> => {
    for (const event of ENDS[end]) await changeJob(harness.context, id as JobId, decideByEvent(event));
  };
  return { ...harness, endThrough };
};

const createReader =
  ({ call }: Harness) =>
  async (id: string): Promise<WireJob> =>
    (await (await call("GET", `/v1/jobs/${id}`)).json()) as WireJob;

const readWhy = async ({ call }: Harness, id: string): Promise<unknown> =>
  (await call("GET", `/v1/jobs/${id}/why`)).json();

const UNSTARTED = {
  status: "failed",
  started_at: null,
  dir: null,
  exit_code: null,
  gpu_idxs: [],
  attempts: [],
  pid: null,
};

test("a job waits for all that it names, and starts when these have completed", async () => {
  const harness = createHarness();
  const { submit, startJob, endThrough } = createEnder(harness);
  const [first, second] = [await submit(), await submit()];
  const last = await submit({ after: [first.id, second.id, first.id] });
  expect(last).toMatchObject({ status: "queued", after: [first.id, second.id], after_any: [] });
  await startJob(first.id);
  await endThrough(first.id, "completed");
  expect(await readWhy(harness, last.id)).toMatchObject({
    reason: "after",
    until: null,
    text: `It waits for job ${second.id}`,
    position: 2,
  });
  await startJob(second.id);
  await endThrough(second.id, "completed");
  expect(await readWhy(harness, last.id)).toMatchObject({ reason: null });
});

test.each([
  ["failed", "failed"],
  ["killed", "was killed"],
] as const)(
  "one that %s fails the job that waits for it, and those after that, with what it never had",
  async (status, word) => {
    const harness = createHarness();
    const { submit, startJob, endThrough } = createEnder(harness);
    const read = createReader(harness);
    const first = await submit();
    const second = await submit({ after: [first.id] });
    const third = await submit({ after: [second.id] });
    const other = await submit({ after_any: [second.id] });
    await startJob(first.id);
    await endThrough(first.id, status);
    const failed = await read(second.id);
    expect(failed).toMatchObject({ ...UNSTARTED, error_message: `Job ${first.id}, which it waits for, ${word}` });
    expect(failed.completed_at).toBeGreaterThan(0);
    expect(await read(third.id)).toMatchObject({
      ...UNSTARTED,
      error_message: `Job ${second.id}, which it waits for, failed`,
    });
    expect(await read(other.id)).toMatchObject({ status: "queued" });
    expect(await readWhy(harness, other.id)).toMatchObject({ reason: null });
  },
);

test("one that is removed fails those that wait for its success, and lets the others go", async () => {
  const harness = createHarness();
  const read = createReader(harness);
  const first = await harness.submit();
  const strict = await harness.submit({ after: [first.id] });
  const easy = await harness.submit({ after_any: [first.id] });
  expect((await harness.call("DELETE", `/v1/jobs/${first.id}`)).status).toBe(204);
  expect(await read(strict.id)).toMatchObject({
    ...UNSTARTED,
    error_message: `Job ${first.id}, which it waits for, was removed`,
  });
  expect(await read(easy.id)).toMatchObject({ status: "queued" });
  expect(await readWhy(harness, easy.id)).toMatchObject({ reason: null });
});

test("a job that has ended already is as good as one that ends now", async () => {
  const harness = createHarness();
  const { submit, startJob, endThrough } = createEnder(harness);
  const [good, bad] = [await submit(), await submit()];
  await startJob(good.id);
  await endThrough(good.id, "completed");
  await startJob(bad.id);
  await endThrough(bad.id, "failed");
  const fine = await submit({ after: [good.id], after_any: [bad.id] });
  expect(await readWhy(harness, fine.id)).toMatchObject({ reason: null });
  const json = { command: "true", user: "ann", after: [good.id, bad.id] };
  const answer = await harness.call("POST", "/v1/jobs", { json });
  expect([answer.status, await answer.json()]).toMatchObject([
    201,
    { ...UNSTARTED, error_message: `Job ${bad.id}, which it waits for, failed` },
  ]);
});

test("an unknown job is 404 that names it, and nothing is submitted", async () => {
  const harness = createHarness();
  const one = { command: "true", user: "ann" };
  for (const json of [[{ ...one, after: ["nosuch"] }], [one, { ...one, after_any: ["nosuch"] }]]) {
    const answer = await harness.call("POST", "/v1/jobs/batch", { json });
    expect([answer.status, await answer.json()]).toMatchObject([
      404,
      { error: "JOB_NOT_FOUND", message: "There is no job nosuch" },
    ]);
  }
  expect(harness.store.countJobs().queued).toBe(0);
});

test("in one batch a request may name an earlier one, and not a later one or itself", async () => {
  const { call } = createHarness();
  const name = (job_id: string, after: readonly string[]) => ({ command: "true", user: "ann", job_id, after });
  const good = await call("POST", "/v1/jobs/batch", { json: [name("one", []), name("two", ["one"])] });
  expect([good.status, await good.json()]).toMatchObject([201, [{ after: [] }, { after: ["one"], status: "queued" }]]);
  const later = await call("POST", "/v1/jobs/batch", { json: [name("a", ["b"]), name("b", [])] });
  expect([later.status, await later.json()]).toMatchObject([404, { message: "There is no job b" }]);
  expect((await call("POST", "/v1/jobs", { json: name("self", ["self"]) })).status).toBe(404);
});

test("the jobs of a batch that follow one that can't start have failed with it in the answer", async () => {
  const harness = createHarness();
  const { submit, startJob, endThrough } = createEnder(harness);
  const bad = await submit();
  await startJob(bad.id);
  await endThrough(bad.id, "failed");
  const one = { command: "true", user: "ann" };
  const json = [
    { ...one, job_id: "a", after: [bad.id] },
    { ...one, job_id: "b", after: ["a"] },
    { ...one, job_id: "c", after_any: ["b"] },
  ];
  const answer = await harness.call("POST", "/v1/jobs/batch", { json });
  const jobs = (await answer.json()) as readonly WireJob[];
  expect(jobs.map(({ status }) => status)).toEqual(["failed", "failed", "queued"]);
  expect(await readWhy(harness, "c")).toMatchObject({ reason: null });
});

test("an edit changes what a job waits for, and one that would make a circle is refused", async () => {
  const harness = createHarness();
  const { call, submit } = harness;
  const [a, b] = [await submit(), await submit()];
  const c = await submit({ after: [b.id] });
  const edit = async (id: string, json: object) => {
    const answer = await call("PATCH", `/v1/jobs/${id}`, { json });
    return [answer.status, await answer.json()];
  };
  expect(await edit(b.id, { after: [a.id] })).toMatchObject([200, { after: [a.id] }]);
  for (const json of [{ after: [c.id] }, { after_any: [b.id, c.id] }, { after: [a.id] }])
    expect(await edit(a.id, json)).toMatchObject([400, { error: "INVALID_REQUEST" }]);
  expect(await edit(a.id, { after: ["nosuch"] })).toMatchObject([404, { error: "JOB_NOT_FOUND" }]);
  expect(await edit(b.id, { after: null })).toMatchObject([200, { after: [] }]);
  expect(await readWhy(harness, b.id)).toMatchObject({ reason: null });
  expect(await edit(a.id, { after_any: [c.id] })).toMatchObject([200, { after_any: [c.id] }]);
  expect(await readWhy(harness, a.id)).toMatchObject({ reason: "after" });
});

test("an edit to wait for one that has failed fails the job at once", async () => {
  const harness = createHarness();
  const { submit, startJob, endThrough } = createEnder(harness);
  const bad = await submit();
  await startJob(bad.id);
  await endThrough(bad.id, "failed");
  const { id } = await submit();
  const follower = await submit({ after: [id] });
  const answer = await harness.call("PATCH", `/v1/jobs/${id}`, { json: { after: [bad.id] } });
  expect([answer.status, await answer.json()]).toMatchObject([200, UNSTARTED]);
  expect(await createReader(harness)(follower.id)).toMatchObject(UNSTARTED);
});

test("who waits for a job that fails is told, and the batch of the job counts it", async () => {
  const harness = createHarness();
  const { submit, startJob, endThrough } = createEnder(harness);
  const bad = await submit();
  const one = { command: "true", user: "ann" };
  const notified = {
    notifications: ["discord"],
    env: { DISCORD_USER_ID: "1", DISCORD_WEBHOOK_URL: "https://discord.com/api/webhooks/1/x" },
  };
  const json = [
    { ...one, ...notified, job_id: "a", after: [bad.id] },
    { ...one, job_id: "b" },
  ];
  await harness.call("POST", "/v1/jobs/batch", { json });
  await startJob(bad.id);
  await endThrough(bad.id, "failed");
  const deliveries = (await (await harness.call("GET", "/v1/jobs/a/deliveries")).json()) as readonly object[];
  expect(deliveries).toMatchObject([{ event: "failed", channel: "discord" }]);
  expect(harness.readEnv("a")).toEqual({});
});

test("a job that ended while it waited has no files", async () => {
  const harness = createHarness();
  const first = await harness.submit();
  const { id } = await harness.submit({ after: [first.id] });
  await harness.call("DELETE", `/v1/jobs/${first.id}`);
  expect(await createReader(harness)(id)).toMatchObject({ outputs: { state: "none", files: 0 } });
});
