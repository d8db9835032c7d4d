import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu } from "../../../../tests/support/samples.ts";
import { isOfItsPlace } from "../../../base/own-variables.ts";
import { RUN_NOW_PRIORITY } from "../../../wire/job.ts";
import { type JobId, UNKNOWN_CODE } from "../jobs/job.ts";
import { buildJobEnvironment } from "./job-environment.ts";

const unsaid = { gitTag: null, gitBranch: null, gitRepoUrl: null, code: UNKNOWN_CODE };

const job = { id: "abc123" as JobId, priority: RUN_NOW_PRIORITY, ...unsaid, dir: "/srv/jobs/abc123", startedAt: 200 };

const code = { commit: "c".repeat(40), tree: "d".repeat(40), isDirty: true, workdir: null };

describe("buildJobEnvironment", () => {
  test("is the server's without its secrets and its terminal, with the job's GPUs and id", () => {
    const serverEnv = {
      ...{ PATH: "/bin", NS_API_TOKEN: "secret", HOME: "/home/ada", NOTHING: undefined },
      ...{ STY: "1.x", WINDOW: "0", SCREENDIR: "/x", TERM: "xterm", PWD: "/x", SHLVL: "3" },
      ...{ NEXUS_OUTPUT_DIR: "/outer", NEXUS_JOB_ID: "outer", NEXUS_GIT_TAG: "outer", CUDA_VISIBLE_DEVICES: "7" },
      ...{ NEXUS_GIT_COMMIT: "outer", NEXUS_GIT_BRANCH: "outer", NEXUS_GIT_DIRTY: "1" },
      ...{ WANDB_GIT_COMMIT: "outer", WANDB_GIT_REMOTE_URL: "outer", GIT_CEILING_DIRECTORIES: "/" },
      ...{ HIP_VISIBLE_DEVICES: "7", ROCR_VISIBLE_DEVICES: "7" },
    };
    expect(buildJobEnvironment(serverEnv, job, [createGpu(0), createGpu(2)], {})).toEqual({
      PATH: "/bin",
      HOME: "/home/ada",
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      CUDA_VISIBLE_DEVICES: "0,2",
      GIT_CEILING_DIRECTORIES: "/srv/jobs",
      NEXUS_ATTEMPT: "1",
      NEXUS_JOB_ID: "abc123",
      NEXUS_OUTPUT_DIR: "/srv/jobs/abc123/outputs",
    });
  });

  test("has nothing of the shell, the launcher or the repository in which the server was started", () => {
    const names = ["GIT_DIR", "SLURM_JOB_ID", "PMI_RANK", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT", "TMUX"];
    const serverEnv = Object.fromEntries(names.map((name) => [name, "outer"]));
    const { CUDA_VISIBLE_DEVICES: _gpus, ...environment } = buildJobEnvironment(serverEnv, job, [], {});
    expect(Object.keys(environment).filter((name) => names.includes(name))).toEqual([]);
  });

  test("has of the server's and its own variables each once, and none of the server's that belongs to one place", () => {
    const names = fc.oneof(
      fc.constantFrom("GIT_DIR", "RANK", "MASTER_ADDR", "SLURM_NTASKS", "NS_PORT", "NEXUS_TARGET", "TMUX", "PATH"),
      fc.stringMatching(/^[A-Z_]{1,8}$/),
    );
    const variables = fc.dictionary(names, fc.string(), { noNullPrototype: true });
    fc.assert(
      fc.property(variables, variables, (serverEnv, own) => {
        const inherited = Object.entries(serverEnv).filter(([name]) => !isOfItsPlace(name));
        const always = buildJobEnvironment({}, job, [], {});
        expect(buildJobEnvironment(serverEnv, job, [], own)).toEqual({
          ...Object.fromEntries(inherited),
          ...always,
          ...own,
        });
      }),
    );
  });

  test("hides all GPUs from a CPU job", () => {
    expect(buildJobEnvironment({}, job, [], {}).CUDA_VISIBLE_DEVICES).toBe("");
  });

  test("the job's own variables win, also over the tag", () => {
    const own = {
      PATH: "/mine",
      CUDA_DEVICE_ORDER: "FASTEST_FIRST",
      NEXUS_GIT_TAG: "mine",
      TERM: "dumb",
      NS_X: "mine",
    };
    expect(buildJobEnvironment({ PATH: "/bin" }, { ...job, gitTag: "v1" }, [], own)).toMatchObject(own);
    expect(buildJobEnvironment({}, { ...job, gitTag: "v1" }, [], {}).NEXUS_GIT_TAG).toBe("v1");
  });

  test("but not over its id, by which its processes are found", () => {
    expect(buildJobEnvironment({}, job, [], { NEXUS_JOB_ID: "other" }).NEXUS_JOB_ID).toBe("abc123");
  });

  test("tells what code it is, to W&B too, unless the job says so itself", () => {
    const known = { ...job, gitBranch: "main", gitRepoUrl: "https://example.org/r", code };
    expect(buildJobEnvironment({}, known, [], { WANDB_GIT_COMMIT: "mine" })).toMatchObject({
      NEXUS_GIT_COMMIT: code.commit,
      NEXUS_GIT_BRANCH: "main",
      NEXUS_GIT_DIRTY: "1",
      WANDB_GIT_COMMIT: "mine",
      WANDB_GIT_REMOTE_URL: "https://example.org/r",
    });
    const clean = { ...known, code: { ...code, isDirty: false } };
    expect(buildJobEnvironment({}, clean, [], {}).NEXUS_GIT_DIRTY).toBe("0");
  });

  test("nor over the folder where what it makes is kept", () => {
    const { NEXUS_OUTPUT_DIR } = buildJobEnvironment({}, job, [], { NEXUS_OUTPUT_DIR: "/elsewhere" });
    expect(NEXUS_OUTPUT_DIR).toBe("/srv/jobs/abc123/outputs");
  });

  test("lets no pager of a queued job wait for a key, unless the job says so itself", () => {
    const queued = { ...job, priority: 0 };
    const none = { PAGER: "cat", GIT_PAGER: "cat", GIT_TERMINAL_PROMPT: "0" };
    expect(buildJobEnvironment({ PAGER: "less" }, queued, [], {})).toMatchObject(none);
    expect(buildJobEnvironment({}, queued, [], { PAGER: "less" })).toMatchObject({ ...none, PAGER: "less" });
    expect(buildJobEnvironment({ PAGER: "less" }, job, [], {})).toMatchObject({ PAGER: "less" });
    expect(buildJobEnvironment({}, job, [], {})).not.toHaveProperty("PAGER");
  });
});
