import { expect, test } from "bun:test";
import { createHarness, type Harness, TOKEN } from "../../../../tests/support/api.ts";
import { createStarting } from "../../../../tests/support/samples.ts";
import { healthSchema, serverStatusSchema } from "../../../wire/node.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";

test("the status counts GPUs and jobs", async () => {
  const { call, submit, startJob, endJob } = createHarness();
  for (const job_id of ["a", "b", "c", "d", "e"]) await submit({ job_id });
  await startJob("b");
  for (const [id, status] of [
    ["c", "completed"],
    ["d", "failed"],
    ["e", "killed"],
  ] as const)
    await endJob(id, status);
  const response = await call("GET", "/v1/server/status");
  expect([response.status, await response.json()]).toEqual([
    200,
    {
      gpu_count: 2,
      queued_jobs: 1,
      running_jobs: 1,
      completed_jobs: 3,
      server_user: "nexus",
      server_version: "1.2.3",
      node_name: "atlas",
      mock: false,
      gpu_error: null,
      gpu_hint: null,
      drain: null,
    },
  ]);
});

test("the status says who asks, where the server knows that by name", async () => {
  const { call, addToken } = createHarness();
  const askWith = async (authorization: string): Promise<unknown> => {
    const answer = await call("GET", "/v1/server/status", { headers: { authorization, "x-nexus-user": "bob" } });
    return serverStatusSchema.strict().parse(await answer.json()).you;
  };
  expect(await askWith(`Bearer ${addToken("ann", "viewer")}`)).toEqual({ name: "ann", role: "viewer" });
  expect(await askWith(`Bearer ${TOKEN}`)).toBeUndefined();
  expect(await askWith("")).toBeUndefined();
});

test("the status says why the GPUs cannot be read", async () => {
  const { call, hideGpus } = createHarness();
  hideGpus({ message: "no driver" });
  expect(await (await call("GET", "/v1/server/status")).json()).toMatchObject({ gpu_count: 0, gpu_error: "no driver" });
});

const expire = async ({ store }: Harness, id: string, keptUntil: number): Promise<void> => {
  const written = await store.write((transaction) => {
    const job = transaction.findJob(id as JobId);
    if (job === null || !isEnded(job)) throw new Error("it has not ended");
    const outputs = { ...job.outputs, state: "kept", files: 1, bytes: 4, keptUntil, isWarned: true } as const;
    transaction.saveJob({ ...job, outputs });
  });
  if (!written.ok) throw new Error(written.error.message);
};

test("the status says of a user of which jobs the files go soon, three by name", async () => {
  const harness = createHarness();
  for (const [index, job_id] of ["a", "b", "c", "d"].entries()) {
    await harness.submit({ job_id, user: "ann" });
    await harness.startJob(job_id);
    await harness.endJob(job_id);
    await expire(harness, job_id, 1000 - index);
  }
  const ask = async (query: string): Promise<unknown> => {
    const answer = await harness.call("GET", `/v1/server/status${query}`);
    return serverStatusSchema.strict().parse(await answer.json()).expiring_files;
  };
  const told = {
    jobs: ["d", "c", "b"].map((id, index) => ({
      id,
      outputs: expect.objectContaining({ files: 1, bytes: 4, kept_until: 997 + index }),
    })),
    total_jobs: 4,
  };
  expect(await ask("?user=ann")).toEqual(told);
  expect([await ask("?user=bob"), await ask("?user="), await ask("")]).toEqual([undefined, undefined, undefined]);
});

test.each(["", "?detailed=false", "?detailed=False&refresh=True"])(
  "the short health %p is alive and nulls",
  async (query) => {
    const response = await createHarness().call("GET", `/v1/health${query}`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { alive: true, status: null, score: null, disk: null, network: null, system: null },
    ]);
  },
);

test.each(["true", "True", "1"])("detailed=%s has figures, score and status", async (value) => {
  const response = await createHarness().call("GET", `/v1/health?detailed=${value}`);
  const health = healthSchema.strict().parse(await response.json());
  expect(health).toMatchObject({ status: "healthy", disk: { total: 100 }, system: { load_avg: [0.1, 0.2, 0.3] } });
  expect(health.score).toBeNumber();
});

test("figures are asked for afresh only with refresh", async () => {
  const { context } = createHarness();
  const { createApp } = await import("../app.ts");
  const asked: boolean[] = [];
  const health = {
    read: (refresh: boolean) => {
      asked.push(refresh);
      return context.health.read(refresh);
    },
  };
  const app = createApp({ ...context, health });
  const ask = (query: string) =>
    app.fetch(new Request(`http://localhost/v1/health${query}`, { headers: { host: "localhost" } }), {
      address: "::1",
    });
  for (const query of ["", "?refresh=true", "?detailed=true", "?detailed=true&refresh=true"]) await ask(query);
  expect(asked).toEqual([false, true]);
});

test("what somebody should see to is told to those who may read, and to nobody else", async () => {
  const { context, addToken } = createHarness();
  const { createApp } = await import("../app.ts");
  const read = async () => ({ ...(await context.health.read(false)), warnings: ["the clock was set"] });
  const app = createApp({ ...context, health: { read } });
  const ask = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const request = new Request("http://atlas/v1/health?detailed=true", { headers: { host: "atlas", ...headers } });
    return healthSchema.strict().parse(await (await app.fetch(request, { address: "10.0.0.9" })).json()).warnings;
  };
  expect(await ask({ authorization: `Bearer ${addToken("eve", "viewer")}` })).toEqual(["the clock was set"]);
  expect([await ask({}), await ask({ authorization: "Bearer nonsense" })]).toEqual([undefined, undefined]);
});

test("a flag that is neither true nor false is 422", async () => {
  expect((await createHarness().call("GET", "/v1/health?detailed=maybe")).status).toBe(422);
});

test("a job that is starting counts as running", async () => {
  const { call, store, submit } = createHarness();
  await submit({ job_id: "a" });
  await store.write((transaction) => transaction.saveJob(createStarting("a", { numGpus: 0 })));
  expect(await (await call("GET", "/v1/server/status")).json()).toMatchObject({ queued_jobs: 0, running_jobs: 1 });
});
