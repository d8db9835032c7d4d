import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isOfItsPlace } from "../../base/own-variables.ts";
import { findActive, selectCarried } from "./carried-variables.ts";

const NEVER = [
  ...["GIT_DIR", "GIT_INDEX_FILE", "GIT_SSH_COMMAND", "SLURM_JOB_ID", "SLURM_PROCID", "PMI_RANK", "PMIX_ID"],
  ...["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"],
  ...["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"],
  ...["STY", "WINDOW", "TMUX", "TMUX_PANE", "TERM", "TERMCAP", "COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_"],
  ...["NS_API_TOKEN", "NS_PORT", "NEXUS_JOB_ID", "NEXUS_OUTPUT_DIR", "NEXUS_TARGET_API_TOKEN", "NEXUS_PASS_X"],
  ...["WANDB_GIT_COMMIT", "WANDB_GIT_REMOTE_URL"],
];

const OF_AN_ENVIRONMENT = ["PATH", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH", "CONDA_PREFIX", "CONDA_SHLVL"];

const names = fc.oneof(fc.constantFrom(...NEVER, ...OF_AN_ENVIRONMENT, "HF_TOKEN", "LORA_RANK", "x"), fc.string());
const variables = fc.dictionary(names, fc.string(), { noNullPrototype: true });

describe("what of a shell travels", () => {
  test("is nothing without an active environment, and with one only what that needs", () => {
    fc.assert(
      fc.property(variables, (shell) => {
        const carried = Object.keys(selectCarried(shell, "activated"));
        const isActive = Boolean(shell["VIRTUAL_ENV"] || shell["CONDA_PREFIX"]);
        const needed = Object.keys(shell).filter((name) => OF_AN_ENVIRONMENT.includes(name));
        expect(carried.toSorted()).toEqual(isActive ? needed.toSorted() : []);
      }),
    );
  });

  test("is never what belongs to one place, whatever is asked for, and nothing with none", () => {
    fc.assert(
      fc.property(variables, (shell) => {
        const carried = selectCarried(shell, "all");
        for (const name of Object.keys(carried)) expect(NEVER).not.toContain(name);
        for (const [name, value] of Object.entries(carried)) expect(value).toBe(String(shell[name]));
        expect(selectCarried(shell, "none")).toEqual({});
      }),
    );
    expect(NEVER.filter((name) => !isOfItsPlace(name))).toEqual([]);
  });

  test("is with all also what only looks like a name that never does", () => {
    const shell = { LORA_RANK: "8", HF_TOKEN: "x", GITHUB_TOKEN: "y", TERMINAL: "z", PATH: "/bin" };
    expect(selectCarried(shell, "all")).toEqual(shell);
    expect(selectCarried({ ...shell, "BASH_FUNC_f%%": "() { :; }" }, "all")).toEqual(shell);
  });
});

describe("the active environment", () => {
  test.each([
    [{}, null],
    [{ VIRTUAL_ENV: "", CONDA_PREFIX: "" }, null],
    [{ VIRTUAL_ENV: "/v" }, "/v"],
    [{ CONDA_PREFIX: "/c" }, "/c"],
    [{ VIRTUAL_ENV: "/v", CONDA_PREFIX: "/c", PATH: "/v/bin:/c/bin" }, "/v"],
    [{ VIRTUAL_ENV: "/v", CONDA_PREFIX: "/c", PATH: "/c/bin:/v/bin" }, "/c"],
    [{ VIRTUAL_ENV: "/v", CONDA_PREFIX: "/c", PATH: "/c/bin" }, "/c"],
  ])("is the one whose programs come first: %p", (shell, active) => {
    expect(findActive(shell)).toBe(active);
  });
});
