import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { USUAL_CAUSES } from "../../../wire/job-fields/retries.ts";
import { createApp } from "../app.ts";

describe("PATCH", () => {
  test("changes command, priority, num_gpus and git_tag of a queued job", async () => {
    const { call, submit, wakes } = createHarness();
    const { id } = await submit();
    const json = { command: "new", priority: -5, num_gpus: 2, git_tag: "tag", other: 1 };
    const response = await call("PATCH", `/v1/jobs/${id}`, { json });
    expect(response.status).toBe(200);
    const changed = { id, command: "new", priority: -5, num_gpus: 2, git_tag: "tag" };
    expect(await response.json()).toMatchObject(changed);
    expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject(changed);
    expect(wakes()).toEqual(["queues", "queues"]);
  });

  test("an empty patch, or one of nulls, returns any job unchanged", async () => {
    const { call, submit, endJob } = createHarness();
    const job = await submit();
    for (const json of [{}, { command: null, priority: null, num_gpus: null, git_tag: null }]) {
      const response = await call("PATCH", `/v1/jobs/${job.id}`, { json });
      expect([response.status, await response.json()]).toEqual([200, job]);
    }
    await endJob(job.id);
    expect((await call("PATCH", `/v1/jobs/${job.id}`, { json: {} })).status).toBe(200);
  });

  test.each([{ command: "new" }, { priority: 1 }, { num_gpus: 1 }, { priority: 1, git_tag: "tag" }])(
    "%p of a job that has started is 400",
    async (json) => {
      const { call, submit, startJob, endJob } = createHarness();
      const { id } = await submit();
      await startJob(id);
      const response = await call("PATCH", `/v1/jobs/${id}`, { json });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: "INVALID_JOB_STATE" });
      await endJob(id);
      expect((await call("PATCH", `/v1/jobs/${id}`, { json })).status).toBe(400);
      expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({ git_tag: null });
    },
  );

  test("the git_tag of a running and of an ended job can be set", async () => {
    const { call, submit, startJob, endJob } = createHarness();
    const { id } = await submit();
    await startJob(id);
    const running = await call("PATCH", `/v1/jobs/${id}`, { json: { git_tag: "one" } });
    expect(await running.json()).toMatchObject({ status: "running", git_tag: "one" });
    await endJob(id, "failed");
    const ended = await call("PATCH", `/v1/jobs/${id}`, { json: { git_tag: "two" } });
    expect(await ended.json()).toMatchObject({ status: "failed", git_tag: "two" });
  });

  test("another number of GPUs replaces the GPUs asked for by index", async () => {
    const { call, submit } = createHarness();
    const { id } = await submit({ gpu_idxs: [0, 1] });
    const same = await call("PATCH", `/v1/jobs/${id}`, { json: { num_gpus: 2 } });
    expect(await same.json()).toMatchObject({ num_gpus: 2, gpu_idxs: [0, 1] });
    const fewer = await call("PATCH", `/v1/jobs/${id}`, { json: { num_gpus: 1 } });
    expect(await fewer.json()).toMatchObject({ num_gpus: 1, gpu_idxs: [] });
  });

  test.each([{ command: " " }, { priority: 9999 }, { num_gpus: -1 }, { git_tag: 5 }, "text"])(
    "%p is 422",
    async (json) => {
      const { call, submit } = createHarness();
      const { id } = await submit();
      expect((await call("PATCH", `/v1/jobs/${id}`, { json })).status).toBe(422);
    },
  );

  test("an unknown job is 404", async () => {
    const response = await createHarness().call("PATCH", "/v1/jobs/nothing", { json: {} });
    expect([response.status, await response.json()]).toMatchObject([404, { error: "JOB_NOT_FOUND" }]);
  });
});

describe("DELETE", () => {
  test("removes a queued job, and the folder of an attempt to start it", async () => {
    const { call, submit, removedFolders } = createHarness();
    const { id } = await submit();
    const response = await call("DELETE", `/v1/jobs/${id}`);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect((await call("GET", `/v1/jobs/${id}`)).status).toBe(404);
    expect((await call("DELETE", `/v1/jobs/${id}`)).status).toBe(404);
    expect(removedFolders).toEqual([id]);
  });

  test("the last of a batch is told of with its removal, or neither happens", async () => {
    const { call, context, store, wakes } = createHarness();
    const one = { command: "train --key hunter2secret", user: "ann", num_gpus: 0, env: { API_KEY: "hunter2secret" } };
    const ids = ["last", "first"].map((job_id) => ({ ...one, job_id }));
    await call("POST", "/v1/jobs/batch", { json: ids });
    await call("DELETE", "/v1/jobs/first");
    const listHeads = () => store.outbox.listHeads();
    expect(listHeads()).toEqual([]);
    const failing: typeof context.store.write = (change) =>
      context.store.write((transaction) => {
        change(transaction);
        throw new Error("the power fails");
      });
    const broken = createApp({ ...context, store: { ...context.store, write: failing } });
    const request = new Request("http://localhost:54323/v1/jobs/last", {
      method: "DELETE",
      headers: { host: "localhost" },
    });
    expect((await broken.fetch(request, { address: "127.0.0.1" })).ok).toBe(false);
    expect([(await call("GET", "/v1/jobs/last")).status, listHeads()]).toEqual([200, []]);
    await call("DELETE", "/v1/jobs/last");
    const [digest, ...more] = listHeads();
    expect([digest, more]).toMatchObject([
      { subject: { lastJobId: "last", event: "batch_done" }, channel: "team", state: "pending" },
      [],
    ]);
    expect(JSON.stringify(store.outbox.openSecrets(digest?.id ?? 0))).not.toContain("hunter2secret");
    expect(digest && store.outbox.openSubject(digest)).toMatchObject({
      removedJob: { command: "train --key ********" },
    });
    expect(wakes().filter((wake) => wake === "outbox")).toHaveLength(2);
  });

  test("a job that has started or ended stays", async () => {
    const { call, submit, startJob, endJob } = createHarness();
    const { id } = await submit();
    for (const change of [startJob, endJob]) {
      await change(id);
      const response = await call("DELETE", `/v1/jobs/${id}`);
      expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_JOB_STATE" }]);
    }
    expect((await call("GET", `/v1/jobs/${id}`)).status).toBe(200);
  });
});

describe("kill", () => {
  test("marks a running job, once and again, and wakes the scheduler", async () => {
    const { call, submit, startJob, wakes } = createHarness();
    const { id } = await submit();
    await startJob(id);
    const response = await call("POST", `/v1/jobs/${id}/kill`);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({
      status: "running",
      marked_for_kill: true,
    });
    expect((await call("POST", `/v1/jobs/${id}/kill`)).status).toBe(204);
    expect(wakes()).toEqual(["queues", "running", "running"]);
  });

  test("a queued or ended job is 400, an unknown one 404", async () => {
    const { call, submit, endJob } = createHarness();
    const { id } = await submit();
    const queued = await call("POST", `/v1/jobs/${id}/kill`);
    expect([queued.status, await queued.json()]).toMatchObject([400, { error: "INVALID_JOB_STATE" }]);
    await endJob(id);
    expect((await call("POST", `/v1/jobs/${id}/kill`)).status).toBe(400);
    expect((await call("POST", "/v1/jobs/nothing/kill")).status).toBe(404);
  });
});

test("a job that waits for another attempt is killed by DELETE, and stays with its folder and what it told", async () => {
  const { call, submit, startJob, retryJob, removedFolders } = createHarness();
  const { id } = await submit({ retry: { count: 1, causes: ["exit"] } });
  await startJob(id);
  await retryJob(id);
  const attempts = [{ started_at: 1_700_000_500, ended_at: 1_700_000_600, exit_code: 1 }];
  const waiting = await (await call("GET", `/v1/jobs/${id}`)).json();
  expect(waiting).toMatchObject({ status: "queued", started_at: null, exit_code: null, completed_at: null, attempts });
  expect((await call("DELETE", `/v1/jobs/${id}`)).status).toBe(204);
  const killed = await (await call("GET", `/v1/jobs/${id}`)).json();
  expect(killed).toMatchObject({ status: "killed", started_at: 1_700_000_500, exit_code: null, attempts });
  expect(removedFolders).toEqual([]);
});

test.each([{ count: 101 }, { count: -1 }, { count: 1.5 }, { count: 1, causes: [] }, { count: 1, causes: ["disk"] }, 3])(
  "a retry of %p is 422 and named",
  async (retry) => {
    const json = { command: "true", user: "ann", num_gpus: 0, retry };
    const response = await createHarness().call("POST", "/v1/jobs", { json });
    expect([response.status, JSON.stringify(await response.json())]).toEqual([422, expect.stringContaining("retry")]);
  },
);

test("a retry without causes is for all of them but the time limit, and 0 is none", async () => {
  const { submit } = createHarness();
  const causes = [...USUAL_CAUSES];
  expect((await submit({ retry: { count: 2 } })).retry).toEqual({ count: 2, causes });
  expect((await submit({ retry: { count: 0 } })).retry).toBeNull();
});
