import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type JobRequestInput, jobRequestSchema } from "../../../wire/job.ts";
import type { JobId } from "./job.ts";
import { createJob, digestInput, type JobFacts } from "./job-request.ts";

const facts: JobFacts = {
  id: "abc123" as JobId,
  now: 100.5,
  nodeName: "atlas",
  requestDigest: "digest",
  gpuIndexes: new Set([0, 1, 2]),
  asker: { isAdmin: false },
};

const request = (input: Partial<JobRequestInput> = {}) =>
  jobRequestSchema.parse({ command: "python train.py", user: "ann", ...input });

const create = (input: Partial<JobRequestInput>, overrides: Partial<JobFacts> = {}) =>
  createJob(request(input), { ...facts, ...overrides });

const ENV = {
  wandb: { WANDB_API_KEY: "1", WANDB_ENTITY: "2" },
  discord: { DISCORD_USER_ID: "1", DISCORD_WEBHOOK_URL: "2" },
  phone: { TWILIO_ACCOUNT_SID: "1", TWILIO_AUTH_TOKEN: "2", TWILIO_FROM_NUMBER: "3", PHONE_TO_NUMBER: "4" },
} as const;

const asking = (service: string): Partial<JobRequestInput> =>
  service === "wandb" ? { integrations: ["wandb"] } : { notifications: [service === "phone" ? "phone" : "discord"] };

const MISSING = Object.entries(ENV).flatMap(([service, env]) =>
  Object.keys(env).map((name) => [service, name, { ...env, [name]: undefined }] as const),
);

describe("createJob", () => {
  test("a plain request becomes a queued job with the defaults", () => {
    expect(create({ env: { B: "2", A: "1" } })).toEqual({
      ok: true,
      value: {
        status: "queued",
        id: facts.id,
        command: "python train.py",
        user: "ann",
        artifactId: null,
        numGpus: 1,
        requestedGpuIdxs: [],
        priority: 0,
        integrations: [],
        notifications: [],
        envNames: ["A", "B"],
        jobrc: null,
        ignoreBlacklist: false,
        gitRepoUrl: null,
        gitBranch: null,
        gitTag: null,
        nodeName: "atlas",
        createdAt: 100.5,
        requestDigest: "digest",
        code: { commit: null, tree: null, isDirty: null, workdir: null },
        outputGlobs: null,
        links: [],
        notes: [],
      },
    });
  });

  test("what it ran is kept with it", () => {
    const [commit, tree] = ["c".repeat(40), "d".repeat(64)];
    expect(create({ git_commit: commit, git_tree: tree, git_dirty: false, workdir: "src/a b" })).toMatchObject({
      value: { code: { commit, tree, isDirty: false, workdir: "src/a b" } },
    });
  });

  test("where its code was taken from is kept, and which of its variables came from a shell", () => {
    const request = { env: { B: "1", A: "2" }, code_root: "/home/ann/code", carried_names: ["B", "GONE"] };
    expect(create(request)).toMatchObject({ value: { code: { root: "/home/ann/code" }, carriedNames: ["B"] } });
  });

  test.each([
    ["22", null],
    ["022", "0022"],
    ["0077", "0077"],
    ["0088", null],
    ["00022", null],
    ["", null],
  ])("a umask of %j is kept as %j, or refused", (umask, kept) => {
    expect(jobRequestSchema.safeParse({ command: "true", user: "ann", umask }).success).toBe(kept !== null);
    if (kept !== null) expect(create({ umask })).toMatchObject({ value: { umask: kept } });
  });

  test("its standard input is kept with it", () => {
    expect(create({ input_artifact_id: "a1" })).toMatchObject({ value: { inputId: "a1" } });
    expect(create({ input_artifact_id: null })).not.toMatchObject({ value: { inputId: expect.anything() } });
  });

  test.each(["", "code", "~/code", "/a\0b"])("%j is no folder that code is taken from", (code_root) => {
    expect(jobRequestSchema.safeParse({ command: "true", user: "ann", code_root }).success).toBe(false);
  });

  test.each(["", "/etc", "..", "a/../b", "a//b", "a/", "./a", "a\0b"])("%j is no folder of the code", (workdir) => {
    expect(jobRequestSchema.safeParse({ command: "true", user: "ann", workdir }).success).toBe(false);
  });

  test.each(["HEAD", "C".repeat(40), "c".repeat(39), "c".repeat(41)])("%j is no name of a commit", (name) => {
    expect(jobRequestSchema.safeParse({ command: "true", user: "ann", git_commit: name }).success).toBe(false);
    expect(jobRequestSchema.safeParse({ command: "true", user: "ann", git_tree: name }).success).toBe(false);
  });

  test.each(MISSING)("%s without %s is refused by that name", (service, name, env) => {
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
    expect(create({ ...asking(service), env: given as Record<string, string> })).toEqual({
      ok: false,
      error: {
        field: "env",
        message: `Missing required environment variable ${name} for ${service}`,
        type: "missing_env",
      },
    });
  });

  test.each(Object.entries(ENV))("%s with all that it needs is accepted", (service, env) => {
    expect(create({ ...asking(service), env: { ...env } }).ok).toBe(true);
  });

  test("nullpointer needs no variable", () => {
    expect(create({ integrations: ["nullpointer"] }).ok).toBe(true);
  });

  test("a GPU that does not exist is refused by its index, with those that do", () => {
    expect(create({ gpu_idxs: [1, 7] })).toEqual({
      ok: false,
      error: {
        field: "gpu_idxs",
        message: "GPU 7 does not exist (this machine has: 0, 1, 2)",
        type: "unknown_gpu",
      },
    });
    expect(create({ gpu_idxs: [0] }, { gpuIndexes: new Set() })).toMatchObject({
      error: { message: "GPU 0 does not exist (this machine has: none)" },
    });
  });

  test("more GPUs than the machine has are refused, unless the GPUs can't be read", () => {
    expect(create({ num_gpus: 4 })).toMatchObject({ ok: false, error: { field: "num_gpus", type: "too_many_gpus" } });
    expect(create({ num_gpus: 3 }).ok).toBe(true);
    expect(create({ num_gpus: 4 }, { gpuIndexes: null }).ok).toBe(true);
    expect(create({ gpu_idxs: [9] }, { gpuIndexes: null }).ok).toBe(true);
    expect(create({ num_gpus: 0 }, { gpuIndexes: new Set() }).ok).toBe(true);
  });

  test("the GPUs named win over their number", () => {
    expect(create({ num_gpus: 1, gpu_idxs: [2, 0] })).toMatchObject({
      value: { numGpus: 2, requestedGpuIdxs: [2, 0] },
    });
    expect(create({ num_gpus: 0, gpu_idxs: [2] })).toMatchObject({ value: { numGpus: 1 } });
    expect(create({ num_gpus: 2, gpu_idxs: [] })).toMatchObject({ value: { numGpus: 2, requestedGpuIdxs: [] } });
  });

  test("a job to be run at once gets the priority above all others, whatever it asks for", () => {
    expect(create({ run_immediately: true, priority: -5 })).toMatchObject({ value: { priority: 9999 } });
    expect(create({ priority: 9998 })).toMatchObject({ value: { priority: 9998 } });
  });

  test("whether its GPUs exist is not asked here of a job to be run at once", () => {
    expect(create({ run_immediately: true, gpu_idxs: [7] })).toMatchObject({ value: { requestedGpuIdxs: [7] } });
    expect(create({ run_immediately: true, num_gpus: 9 })).toMatchObject({ value: { numGpus: 9 } });
  });

  test("a service named twice counts once", () => {
    const twice = create({ integrations: ["nullpointer", "nullpointer"] });
    expect(twice).toMatchObject({ value: { integrations: ["nullpointer"] } });
  });
});

describe("digestInput", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/);
  const env = fc.dictionary(name, fc.string({ maxLength: 5 }), { maxKeys: 6 });
  const withoutNul = env.filter((values) => !Object.values(values).some((value) => value.includes("\0")));
  const reverse = <Value extends object>(value: Value): Value =>
    Object.fromEntries(Object.entries(value).toReversed()) as Value;

  test("is the same whatever the order of the keys", () => {
    fc.assert(
      fc.property(withoutNul, (values) => {
        const one = request({ env: values, priority: 3 });
        expect(digestInput(reverse({ ...one, env: reverse(one.env) }))).toBe(digestInput(one));
      }),
    );
  });

  test("leaves out the id and nothing else", () => {
    const one = request({ job_id: "a", env: { A: "1" } });
    expect(digestInput(request({ job_id: "b", env: { A: "1" } }))).toBe(digestInput(one));
    const others: readonly Partial<JobRequestInput>[] = [
      { env: { A: "2" } },
      { env: { A: "1" }, command: "false" },
      { env: { A: "1" }, gpu_idxs: [0, 1] },
      { env: { A: "1" }, gpu_idxs: [1, 0] },
      { env: { A: "1" }, user: "bob" },
    ];
    const digests = others.map((input) => digestInput(request(input)));
    expect(new Set([digestInput(one), ...digests]).size).toBe(others.length + 1);
  });
});
