import { describe, expect, test } from "bun:test";
import { type CallOptions, createGpu, createHarness, type Harness } from "../../../../tests/support/api.ts";
import type { JobRequestInput } from "../../../wire/job.ts";
import type { Logs } from "../../../wire/node.ts";
import { createApp } from "../app.ts";

const MIB = 1024 ** 2;
const GPUS = [createGpu(0), createGpu(1)];

const createQueueHarness = (): Harness => createHarness(GPUS, null, { maxQueued: 3, maxQueuedInAll: 5 });

const createJobs = (count: number, fields: Partial<JobRequestInput> = {}) =>
  Array.from({ length: count }, () => ({ command: "true", user: "ann", num_gpus: 0, ...fields }));

const submitAll = async ({ call }: Harness, jobs: readonly unknown[]) => {
  const response = await call("POST", "/v1/jobs/batch", { json: jobs });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json() };
};

const submitOne = async ({ call }: Harness, fields: Partial<JobRequestInput>): Promise<number> =>
  (await call("POST", "/v1/jobs", { json: { command: "true", user: "ann", num_gpus: 0, ...fields } })).status;

describe("a user's queued jobs are limited", () => {
  test("and a batch that would be over the limit is refused as a whole, with the limit and what was asked for", async () => {
    const harness = createQueueHarness();
    expect((await submitAll(harness, createJobs(2))).status).toBe(201);
    expect(await submitAll(harness, createJobs(2))).toEqual({
      status: 403,
      retryAfter: "60",
      body: {
        error: "LIMIT_REACHED",
        message:
          "ann has 2 jobs in the queue and may have 3 (max_queued), so 2 more are too many: wait until some have started, or take some out with nx remove",
        status_code: 403,
        ...{ limit: "max_queued", max: 3, asked: 4 },
      },
    });
    expect(harness.store.countJobs().queued).toBe(2);
    expect((await submitAll(harness, createJobs(1))).status).toBe(201);
  });

  test("whoever asks for them, and no other user's", async () => {
    const harness = createQueueHarness();
    const jobs = [...createJobs(4, { user: "bob" }), ...createJobs(1)];
    expect((await submitAll(harness, jobs)).body).toMatchObject({ limit: "max_queued", asked: 4 });
    const headers = { authorization: `Bearer ${harness.addToken("bob", "user")}` };
    for (const status of [201, 201, 201, 403]) {
      const response = await harness.call("POST", "/v1/jobs", { json: { command: "true" }, headers, peer: "10.0.0.9" });
      expect(response.status).toBe(status);
    }
    expect(await submitOne(harness, { user: "bob" })).toBe(403);
    expect(await submitOne(harness, {})).toBe(201);
  });

  test("until one starts, ends or is removed; asking again for one that is there is no submission", async () => {
    const harness = createQueueHarness();
    for (const id of ["a", "b", "c"]) expect(await submitOne(harness, { job_id: id })).toBe(201);
    expect([await submitOne(harness, { job_id: "a" }), await submitOne(harness, {})]).toEqual([200, 403]);
    await harness.startJob("a");
    expect([await submitOne(harness, {}), await submitOne(harness, {})]).toEqual([201, 403]);
    await harness.call("DELETE", "/v1/jobs/b");
    expect([await submitOne(harness, {}), await submitOne(harness, {})]).toEqual([201, 403]);
  });

  test("but not those that run at once", async () => {
    const harness = createQueueHarness();
    await submitAll(harness, createJobs(3));
    expect(await submitOne(harness, { num_gpus: 1, run_immediately: true })).toBe(201);
  });
});

test("queued jobs are limited in all", async () => {
  const harness = createQueueHarness();
  for (const user of ["ann", "bob"]) expect((await submitAll(harness, createJobs(2, { user }))).status).toBe(201);
  expect((await submitAll(harness, createJobs(2, { user: "eve" }))).body).toMatchObject({
    error: "LIMIT_REACHED",
    message: expect.stringMatching(/^The server has 4 jobs in the queue/),
    ...{ limit: "max_queued_in_all", max: 5, asked: 6 },
  });
  expect(await submitOne(harness, { user: "eve" })).toBe(201);
});

describe("artifacts that wait are limited", () => {
  const upload = async (harness: Harness, mib: number, name?: string): Promise<Response> =>
    harness.call("POST", "/v1/artifacts", {
      body: new Uint8Array(mib * MIB).fill(1),
      ...(name === undefined ? {} : { headers: { authorization: `Bearer ${name}` }, peer: "10.0.0.9" }),
    });

  test("for each who asks, with the limit and what was asked for, and nothing is left of what was refused", async () => {
    const harness = createHarness(GPUS, null, { maxWaitingGib: 4 / 1024 });
    const [ann, bob] = [harness.addToken("ann", "user"), harness.addToken("bob", "user")];
    expect((await upload(harness, 3, ann)).status).toBe(201);
    const refused = await upload(harness, 2, ann);
    expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
      403,
      "60",
      {
        error: "LIMIT_REACHED",
        message:
          "Your artifacts that wait for their jobs to start may take 0.00390625 GiB (max_waiting_gib), and this one is too much: wait until some have started, or take some out with nx remove",
        status_code: 403,
        ...{ limit: "max_waiting_gib", max: 4 / 1024, asked: expect.any(Number) },
      },
    ]);
    expect(harness.countArtifacts()).toBe(1);
    expect([(await upload(harness, 1, ann)).status, (await upload(harness, 3, bob)).status]).toEqual([201, 201]);
    expect([(await upload(harness, 3)).status, (await upload(harness, 2)).status]).toEqual([201, 403]);
  });

  test("and those of jobs that have started give room at once", async () => {
    const harness = createHarness(GPUS, null, { maxWaitingGib: 4 / 1024 });
    const { data } = (await (await upload(harness, 3)).json()) as { data: string };
    await harness.submit({ job_id: "a", artifact_id: data });
    expect((await upload(harness, 3)).status).toBe(403);
    await harness.startJob("a");
    expect((await upload(harness, 3)).status).toBe(201);
  });
});

describe("followers are limited", () => {
  const follow = async ({ call }: Harness, token: string | null, peer: string): Promise<number> => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    return (await call("GET", "/v1/events", { headers, peer })).status;
  };

  test("for each user, wherever they come from, and no user for another at the same address", async () => {
    const limits = { maxRequests: 100, maxFollowers: 50, maxFollowersPerAddress: 2, maxUploads: 3, bodyTimeout: 1 };
    const harness = createHarness(GPUS, null, { limits });
    const [ann, bob] = [harness.addToken("ann", "viewer"), harness.addToken("bob", "viewer")];
    expect([await follow(harness, ann, "10.0.0.1"), await follow(harness, ann, "10.0.0.2")]).toEqual([200, 200]);
    expect([await follow(harness, ann, "10.0.0.3"), await follow(harness, bob, "10.0.0.1")]).toEqual([429, 200]);
    for (const status of [200, 200, 429]) expect(await follow(harness, null, "127.0.0.1")).toBe(status);
    expect(await follow(harness, null, "127.0.0.2")).toBe(200);
  });
});

describe("what one request brings is taken up to its limit, and not beyond", () => {
  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH ";
  const createEnv = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`A${index}`, ""]));
  const send = (method: string, path: string, options: CallOptions) => async (harness: Harness) =>
    (await harness.call(method, path, options)).text();
  const submit = (path: string, json: unknown) => send("POST", path, { json });

  type Case = readonly [string, number, string, (size: number) => (harness: Harness) => Promise<string>];

  const cases: readonly Case[] = [
    [
      "a regular expression",
      1000,
      "up to 1000",
      (size) => send("GET", `/v1/jobs?command_regex=${"x".repeat(size)}`, {}),
    ],
    ["a key", 16_384, "up to 16 KiB", (size) => send("POST", "/v1/auth/ssh-key", { body: KEY.padEnd(size, "x") })],
    ["an environment", 10_000, "too_big", (size) => submit("/v1/jobs", createJobs(1, { env: createEnv(size) })[0])],
    ["a list of GPUs", 10_000, "too_big", (size) => submit("/v1/jobs", { gpu_idxs: Array(size).fill(0) })],
  ];

  test.each(cases)("%s", async (_what, most, said, ask) => {
    const harness = createQueueHarness();
    expect(await ask(most)(harness)).not.toContain(said);
    expect(await ask(most + 1)(harness)).toContain(said);
  });

  test("of a batch a hundred mistakes are told", async () => {
    const { body } = await submitAll(createQueueHarness(), createJobs(150, { priority: 99_999 }));
    expect((body as { detail: readonly unknown[] }).detail).toHaveLength(100);
  });
});

test("of a log that is read on 10 MiB come at once, and no more is read", async () => {
  const { context, submit } = createHarness();
  const { id } = await submit();
  let pulls = 0;
  let isLeft = false;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    pulls += 1;
    controller.enqueue(new Uint8Array(MIB).fill(97));
  };
  const cancel = (): void => {
    isLeft = true;
  };
  const bytes = new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
  const resume: typeof context.logs.resume = async () => ({ position: 5, bytes });
  const app = createApp({ ...context, logs: { ...context.logs, resume } });
  const request = new Request(`http://localhost/v1/jobs/${id}/logs?from=5`, { headers: { host: "localhost" } });
  const { data, next } = (await (await app.fetch(request, { address: "::1" })).json()) as Logs;
  expect([data.length, next, pulls, isLeft]).toEqual([10 * MIB, 5 + 10 * MIB, 10, true]);
});
