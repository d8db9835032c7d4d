import { describe, expect, test } from "bun:test";
import { createGpu, createHarness } from "../../../../tests/support/api.ts";
import { type WireJob, wireJobSchema } from "../../../wire/job.ts";

const job = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  command: "true",
  user: "ann",
  num_gpus: 0,
  ...changes,
});

const readIds = async (response: Response): Promise<readonly string[]> =>
  ((await response.json()) as WireJob[]).map(({ id }) => id);

describe("submitting one job", () => {
  test("answers 201 and the job with every field", async () => {
    const { call, wakes, readEnv } = createHarness();
    const json = job({
      command: "a\nb",
      env: { KEY: "secret" },
      priority: 5,
      git_tag: "t",
      git_branch: "b",
      git_repo_url: "u",
      jobrc: "j",
    });
    const response = await call("POST", "/v1/jobs", { json });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toContain("application/json");
    const body: unknown = await response.json();
    expect(wireJobSchema.strict().safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({
      status: "queued",
      command: "a\nb",
      env: { KEY: "********" },
      priority: 5,
      node_name: "atlas",
      user: "ann",
      git_tag: "t",
      git_branch: "b",
      git_repo_url: "u",
      jobrc: "j",
      num_gpus: 0,
      artifact_id: null,
    });
    expect(readEnv((body as WireJob).id)).toMatchObject({ KEY: "secret" });
    expect(wakes()).toEqual(["queues"]);
  });

  test("takes nulls for what is optional and ignores unknown fields", async () => {
    const json = job({
      job_id: null,
      artifact_id: null,
      gpu_idxs: null,
      jobrc: null,
      git_tag: null,
      search_wandb: true,
    });
    expect((await createHarness().call("POST", "/v1/jobs", { json })).status).toBe(201);
  });

  test.each([
    [{ command: undefined }, "command"],
    [{ command: "  \n" }, "command"],
    [{ command: "x".repeat(128 * 1024 + 1) }, "command"],
    [{ command: 5 }, "command"],
    [{ user: undefined }, "user"],
    [{ user: "" }, "user"],
    [{ job_id: "Not Valid" }, "job_id"],
    [{ job_id: "x".repeat(65) }, "job_id"],
    [{ job_id: "a\u0000" }, "job_id"],
    [{ num_gpus: -1 }, "num_gpus"],
    [{ num_gpus: 1.5 }, "num_gpus"],
    [{ num_gpus: "1" }, "num_gpus"],
    [{ gpu_idxs: [0, 0] }, "gpu_idxs"],
    [{ gpu_idxs: [-1] }, "gpu_idxs"],
    [{ gpu_idxs: [7] }, "gpu_idxs"],
    [{ num_gpus: 3 }, "num_gpus"],
    [{ priority: 9999 }, "priority"],
    [{ priority: -10_000 }, "priority"],
    [{ integrations: ["mlflow"] }, "integrations"],
    [{ notifications: ["email"] }, "notifications"],
    [{ env: { "1A": "x" } }, "env"],
    [{ env: { A: "x\u0000" } }, "env"],
    [{ env: { A: 5 } }, "env"],
    [{ run_immediately: "yes" }, "run_immediately"],
  ])("%p is 422 and names %s", async (changes, field) => {
    const { call, store } = createHarness();
    const response = await call("POST", "/v1/jobs", { json: job(changes) });
    expect(response.status).toBe(422);
    const body = (await response.json()) as { error: string; detail: { loc: string[] }[] };
    expect(body.error).toBe("VALIDATION_ERROR");
    expect(body.detail[0]?.loc.slice(0, 2)).toEqual(["body", field]);
    expect(store.countJobs().queued).toBe(0);
  });

  test.each([
    ["any GPU", {}, "no GPU is free now (out of order: GPU 0: GPU is lost)"],
    ["that GPU", { gpu_idxs: [0] }, "GPU 0 is not free now (out of order: GPU 0: GPU is lost)"],
    ["another", { gpu_idxs: [1] }, "GPU 1 is not free now"],
  ])("names the GPUs that are out of order, of those that it asks for: %s", async (_what, changes, said) => {
    const { call } = createHarness([{ ...createGpu(0), fault: "GPU is lost" }, createGpu(1, [77])]);
    const response = await call("POST", "/v1/jobs", { json: job({ num_gpus: 1, run_immediately: true, ...changes }) });
    expect(await response.json()).toMatchObject({ message: `The job cannot run immediately: ${said}` });
  });

  test.each([
    [{ integrations: ["wandb"], env: { WANDB_API_KEY: "k" } }, "WANDB_ENTITY"],
    [{ notifications: ["discord"], env: { DISCORD_USER_ID: "1" } }, "DISCORD_WEBHOOK_URL"],
    [
      { notifications: ["phone"], env: { TWILIO_ACCOUNT_SID: "1", TWILIO_AUTH_TOKEN: "2", TWILIO_FROM_NUMBER: "3" } },
      "PHONE_TO_NUMBER",
    ],
  ])("%p is 422 and names %s", async (changes, variable) => {
    const response = await createHarness().call("POST", "/v1/jobs", { json: job(changes) });
    expect(response.status).toBe(422);
    expect(JSON.stringify(await response.json())).toContain(variable);
  });

  test("the number of gpu_idxs wins over num_gpus", async () => {
    const { submit } = createHarness();
    expect(await submit({ num_gpus: 1, gpu_idxs: [1, 0] })).toMatchObject({ num_gpus: 2, gpu_idxs: [1, 0] });
  });

  test.each(["artifact_id", "input_artifact_id"] as const)(
    "an unknown %s is 404, a known one is taken",
    async (field) => {
      const { call, submit, uploadArtifact, store } = createHarness();
      for (const id of ["nothing", "", "a\u0000b"]) {
        const response = await call("POST", "/v1/jobs", { json: job({ [field]: id }) });
        expect(response.status).toBe(404);
        expect(await response.json()).toMatchObject({ error: "ARTIFACT_NOT_FOUND" });
      }
      expect(store.countJobs().queued).toBe(0);
      const artifact = await uploadArtifact();
      expect((await submit({ [field]: artifact }))[field]).toBe(artifact);
    },
  );
});

describe("job ids", () => {
  test("the same request again is 200 and the job as it stands", async () => {
    const { call, startJob, wakes } = createHarness();
    const json = job({ job_id: "my-job", env: { B: "2", A: "1" } });
    expect((await call("POST", "/v1/jobs", { json })).status).toBe(201);
    await startJob("my-job");
    const again = await call("POST", "/v1/jobs", { json: { ...json, env: { A: "1", B: "2" } } });
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ id: "my-job", status: "running" });
    expect(wakes()).toEqual(["queues"]);
  });

  test("a retry is safe after a GPU has gone", async () => {
    const gpus = [createGpu(0), createGpu(1)];
    const { call } = createHarness(gpus);
    const json = job({ job_id: "my-job", gpu_idxs: [1] });
    expect((await call("POST", "/v1/jobs", { json })).status).toBe(201);
    gpus.pop();
    expect((await call("POST", "/v1/jobs", { json })).status).toBe(200);
  });

  test("another request with the same id is 409", async () => {
    const { call } = createHarness();
    await call("POST", "/v1/jobs", { json: job({ job_id: "my-job" }) });
    const response = await call("POST", "/v1/jobs", { json: job({ job_id: "my-job", command: "false" }) });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: "JOB_EXISTS" });
  });

  test("of two equal requests at once one creates the job", async () => {
    const { call, store } = createHarness();
    const json = job({ job_id: "my-job" });
    const responses = await Promise.all([1, 2].map(() => call("POST", "/v1/jobs", { json })));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect(store.countJobs().queued).toBe(1);
  });

  test("an id that the server proposes and that is taken is passed over", async () => {
    const { call, submit } = createHarness();
    await call("POST", "/v1/jobs", { json: job({ job_id: "aaaaa1" }) });
    expect((await submit()).id).toBe("aaaaa2");
  });

  test("a job may be called like a route", async () => {
    const { call } = createHarness();
    await call("POST", "/v1/jobs", { json: job({ job_id: "batch" }) });
    expect(await (await call("GET", "/v1/jobs/batch")).json()).toMatchObject({ id: "batch" });
  });
});

describe("run_immediately", () => {
  test("sets priority 9999", async () => {
    const { submit } = createHarness();
    expect(await submit({ run_immediately: true, num_gpus: 2 })).toMatchObject({ priority: 9999 });
  });

  test.each([
    ["more GPUs than there are", { num_gpus: 4 }, "The job asks for 4 GPUs, but this machine has 3"],
    ["a GPU that does not exist", { gpu_idxs: [9] }, "GPU 9 does not exist (this machine has: 0, 1, 2)"],
    ["a GPU with a foreign process", { gpu_idxs: [2] }, "The job cannot run immediately: GPU 2 is not free now"],
    [
      "a blacklisted GPU",
      { gpu_idxs: [1] },
      "The job cannot run immediately: GPU 1 is not free now (blacklisted: GPU 1)",
    ],
    ["a GPU that runs a job", { gpu_idxs: [0] }, "The job cannot run immediately: GPU 0 is not free now"],
    [
      "GPUs of which one is taken",
      { gpu_idxs: [1, 2] },
      "The job cannot run immediately: GPUs 1, 2 are not all free now",
    ],
    [
      "any GPU when none is free",
      { num_gpus: 1 },
      "The job cannot run immediately: no GPU is free now (blacklisted: GPU 1)",
    ],
    ["more than are free", { num_gpus: 2 }, "The job cannot run immediately: fewer than 2 GPUs are free now"],
  ])("for %s is 500 GPU_ERROR with the reason and queues nothing", async (_case, changes, message) => {
    const { call, submit, startJob, store } = createHarness([createGpu(0), createGpu(1), createGpu(2, [77])]);
    const { id } = await submit();
    await startJob(id, [0]);
    await call("PUT", "/v1/gpus/1/blacklist");
    const response = await call("POST", "/v1/jobs", { json: job({ run_immediately: true, ...changes }) });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "GPU_ERROR", message, status_code: 500 });
    expect(store.countJobs().queued).toBe(0);
  });

  test("ignore_blacklist takes a blacklisted GPU", async () => {
    const { call, submit } = createHarness();
    await call("PUT", "/v1/gpus/1/blacklist");
    expect(await submit({ run_immediately: true, gpu_idxs: [1], ignore_blacklist: true })).toMatchObject({
      priority: 9999,
    });
  });

  test("a job without GPUs needs none, even when they cannot be read", async () => {
    const { call, submit, hideGpus } = createHarness();
    hideGpus({ message: "no driver" });
    expect((await submit({ run_immediately: true })).priority).toBe(9999);
    const response = await call("POST", "/v1/jobs", { json: job({ run_immediately: true, num_gpus: 1 }) });
    expect(response.status).toBe(500);
    expect(JSON.stringify(await response.json())).toContain("no driver");
  });

  test("a GPU is promised once, to requests at the same time and in one batch", async () => {
    const { call, store } = createHarness();
    const json = job({ run_immediately: true, num_gpus: 1 });
    const responses = await Promise.all([1, 2, 3].map(() => call("POST", "/v1/jobs", { json })));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, 201, 500]);
    const batch = createHarness();
    expect((await batch.call("POST", "/v1/jobs/batch", { json: [json, json, json] })).status).toBe(500);
    expect([store.countJobs().queued, batch.store.countJobs().queued]).toEqual([2, 0]);
  });

  test("a retry is answered with the job that has the GPUs by now", async () => {
    const { call, startJob } = createHarness([createGpu(0)]);
    const json = job({ job_id: "now", run_immediately: true, num_gpus: 1 });
    await call("POST", "/v1/jobs", { json });
    await startJob("now", [0]);
    expect((await call("POST", "/v1/jobs", { json })).status).toBe(200);
  });
});

describe("a batch", () => {
  test("answers 201 and the jobs in the order of the requests", async () => {
    const { call, wakes } = createHarness();
    const json = ["a", "b", "c"].map((command) => job({ command }));
    const response = await call("POST", "/v1/jobs/batch", { json });
    expect(response.status).toBe(201);
    const jobs = (await response.json()) as WireJob[];
    expect(jobs.map(({ command }) => command)).toEqual(["a", "b", "c"]);
    expect(await readIds(await call("GET", "/v1/jobs"))).toEqual(jobs.map(({ id }) => id));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(3);
    expect(wakes()).toEqual(["queues"]);
  });

  test.each([
    ["a wrong field", [job(), job({ command: "" })], 422],
    ["a missing variable", [job(), job({ integrations: ["wandb"] })], 422],
    ["an unknown artifact", [job(), job({ artifact_id: "x" })], 404],
    ["one id for two requests", [job({ job_id: "a" }), job({ job_id: "a", command: "other" })], 409],
    ["no array", job(), 422],
  ])("with %s stores nothing", async (_case, json, status) => {
    const { call, store } = createHarness();
    expect((await call("POST", "/v1/jobs/batch", { json })).status).toBe(status);
    expect(store.countJobs().queued).toBe(0);
  });

  test("names the request that is wrong", async () => {
    const { call } = createHarness();
    const wrong = await call("POST", "/v1/jobs/batch", { json: [job(), job({ command: 1 })] });
    expect(await wrong.json()).toMatchObject({ detail: [{ loc: ["body", 1, "command"] }] });
    const missing = await call("POST", "/v1/jobs/batch", { json: [job(), job({ integrations: ["wandb"] })] });
    expect(await missing.json()).toMatchObject({ detail: [{ loc: ["body", 1, "env"] }] });
  });

  test("a retry stores only what is missing, and is 200 when nothing is", async () => {
    const { call, store } = createHarness();
    const first = [job({ job_id: "a" })];
    const both = [job({ job_id: "a" }), job({ job_id: "b" }), job({ job_id: "b" })];
    expect((await call("POST", "/v1/jobs/batch", { json: first })).status).toBe(201);
    const more = await call("POST", "/v1/jobs/batch", { json: both });
    expect([more.status, await readIds(more)]).toEqual([201, ["a", "b", "b"]]);
    expect((await call("POST", "/v1/jobs/batch", { json: both })).status).toBe(200);
    expect(store.countJobs().queued).toBe(2);
  });

  test("may have 10 000 requests, not one more, and names no more than a hundred mistakes", async () => {
    const { call, store } = createHarness();
    const requests = Array.from({ length: 10_000 }, () => job());
    expect((await call("POST", "/v1/jobs/batch", { json: [...requests, job()] })).status).toBe(422);
    expect((await call("POST", "/v1/jobs/batch", { json: requests })).status).toBe(201);
    expect(store.countJobs().queued).toBe(10_000);
    const wrong = await call("POST", "/v1/jobs/batch", { json: requests.map(() => ({})) });
    expect(((await wrong.json()) as { detail: unknown[] }).detail).toHaveLength(100);
  });
});

describe("listing", () => {
  const fill = async () => {
    const harness = createHarness();
    const { submit, startJob, endJob } = harness;
    await submit({ job_id: "q-low", command: "train alpha", user: "ann" });
    await submit({ job_id: "q-high", command: "train beta", user: "bob", priority: 10 });
    await submit({ job_id: "q-gpu", command: "eval", user: "bob", gpu_idxs: [1] });
    await submit({ job_id: "r-old", command: "train gamma" });
    await submit({ job_id: "r-new", command: "serve" });
    await submit({ job_id: "e-old", command: "train delta" });
    await submit({ job_id: "e-new", command: "train delta", user: "bob" });
    await startJob("r-old", [0], 1000);
    await startJob("r-new", [1], 2000);
    await endJob("e-old", "failed", 3000);
    await endJob("e-new", "killed", 4000);
    return harness;
  };

  test.each([
    ["", ["r-new", "r-old", "q-high", "q-low", "q-gpu", "e-new", "e-old"]],
    ["?status=queued", ["q-high", "q-low", "q-gpu"]],
    ["?status=killed&status=queued&status=running", ["r-new", "r-old", "q-high", "q-low", "q-gpu", "e-new"]],
    ["?status=completed", []],
    ["?gpu_index=1", ["r-new", "q-gpu"]],
    ["?gpu_index=9007199254740991", []],
    ["?user=bob", ["q-high", "q-gpu", "e-new"]],
    ["?command_regex=train", ["r-old", "q-high", "q-low", "e-new", "e-old"]],
    ["?command_regex=%5Etrain%20(alpha%7Cbeta)%24", ["q-high", "q-low"]],
    ["?command_regex=TRAIN", []],
    ["?status=queued&user=bob&command_regex=eval", ["q-gpu"]],
    ["?limit=2", ["r-new", "r-old"]],
    ["?limit=2&offset=1", ["r-old", "q-high"]],
    ["?offset=100", []],
    ["?limit=5&limit=1", ["r-new"]],
    ["?unknown=1&limit=1", ["r-new"]],
  ])("%p gives %p", async (query, ids) => {
    const { call } = await fill();
    const response = await call("GET", `/v1/jobs${query}`);
    expect(response.status).toBe(200);
    expect(await readIds(response)).toEqual([...ids]);
  });

  test.each([
    ["status=starting", ["query", "status", 0]],
    ["status=", ["query", "status", 0]],
    ["limit=0", ["query", "limit"]],
    ["limit=10001", ["query", "limit"]],
    ["limit=ten", ["query", "limit"]],
    ["limit=", ["query", "limit"]],
    ["limit=1e3", ["query", "limit"]],
    ["limit=99999999999999999999999", ["query", "limit"]],
    ["offset=-1", ["query", "offset"]],
    ["offset=99999999999999999999999", ["query", "offset"]],
    ["gpu_index=x", ["query", "gpu_index"]],
  ])("%p is 422", async (query, loc) => {
    const response = await createHarness().call("GET", `/v1/jobs?${query}`);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      error: "VALIDATION_ERROR",
      detail: expect.arrayContaining([expect.objectContaining({ loc })]),
    });
  });

  test.each(["(", "*", "[a", "(?=x)", "(?<n", "a{99999}", "\\", "a".repeat(1001)])(
    "the expression %p is 400 INVALID_REQUEST",
    async (pattern) => {
      const response = await createHarness().call("GET", `/v1/jobs?command_regex=${encodeURIComponent(pattern)}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: "INVALID_REQUEST" });
    },
  );

  test("the limit is 1000 unless asked for", async () => {
    const { call } = createHarness();
    await call("POST", "/v1/jobs/batch", { json: Array.from({ length: 1001 }, () => job()) });
    expect(await readIds(await call("GET", "/v1/jobs"))).toHaveLength(1000);
    expect(await readIds(await call("GET", "/v1/jobs?limit=10000"))).toHaveLength(1001);
  });
});

test("one job is shown by its id; other ids are 404", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({ id });
  for (const unknown of ["nothing", "UPPER", "a%00", "%FF", "%ZZ", "x".repeat(5000), "..%2f", "%F0%9F%92%A9"]) {
    const response = await call("GET", `/v1/jobs/${unknown}`);
    expect([unknown, response.status]).toEqual([unknown, 404]);
    expect(await response.json()).toMatchObject({ error: "JOB_NOT_FOUND" });
  }
});

test("ended jobs are chosen by when they ended and how, both ends included", async () => {
  const { call, submit, endJob } = createHarness();
  await submit({ job_id: "waits" });
  for (const at of [10, 20, 30]) {
    await submit({ job_id: `at${at}` });
    await endJob(`at${at}`, "completed", 1_800_000_000 + at);
  }
  const list = async (query: string) => (await readIds(await call("GET", `/v1/jobs?${query}`))).toSorted();
  expect(await list("ended_since=1800000020")).toEqual(["at20", "at30"]);
  expect(await list("ended_until=1800000020")).toEqual(["at10", "at20"]);
  expect(await list("ended_since=1800000015&ended_until=1800000025")).toEqual(["at20"]);
  expect([await list("exit_code=0"), await list("exit_code=1")]).toEqual([["at10", "at20", "at30"], []]);
});

test("an expression that takes too long is refused, and lists nothing", async () => {
  const { call, submit } = createHarness();
  await submit({ command: "a".repeat(128 * 1024) });
  const pattern = encodeURIComponent("[^x]{1000}".repeat(20));
  const response = await call("GET", `/v1/jobs?command_regex=${pattern}`);
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: "INVALID_REQUEST", message: expect.stringContaining("takes too long") },
  ]);
});
