import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quoteWord } from "../../base/quote-word.ts";
import { addCode } from "./send-code.ts";

let repo: string;

beforeEach(() => {
  repo = realpathSync(mkdtempSync(join(tmpdir(), "nexus-repo-")));
});

afterEach(() => rmSync(repo, { recursive: true }));

const NO_GIT = { artifact_id: "a", git_repo_url: null, git_branch: null, snapshot: null };

const runJob = (subFolder: string, jobrc: string | null = null) => {
  const lines = addCode({ ...NO_GIT, subFolder }, jobrc).jobrc;
  const script = `source <(printf '%s\\n' ${quoteWord(lines ?? "")})\necho "ran in $PWD"`;
  const { status, stdout } = spawnSync("bash", ["-c", script], { cwd: repo, encoding: "utf8" });
  return { status, stdout };
};

test.each(["sub", "a/b c/$(touch x)", "-rf", "'"])("a job runs in the folder that the user stands in: %p", (folder) => {
  expect(runJob(folder)).toEqual({ status: 0, stdout: `ran in ${join(repo, folder)}\n` });
  mkdirSync(join(repo, folder), { recursive: true });
  expect(runJob(folder, "echo mine; cd ..")).toMatchObject({ stdout: expect.stringMatching(/^mine\nran in /) });
});

test("a job whose folder can't be entered ends, and neither the user's jobrc nor the command runs elsewhere", () => {
  writeFileSync(join(repo, "sub"), "a file");
  expect(runJob("sub", "echo mine")).toEqual({ status: 1, stdout: "" });
  expect(runJob("sub/deeper")).toEqual({ status: 1, stdout: "" });
});

test("a job of the repository's top, and one without code, have the user's jobrc as it is", () => {
  expect(addCode({ ...NO_GIT, subFolder: "" }, "echo mine").jobrc).toBe("echo mine");
  expect(addCode({ ...NO_GIT, subFolder: "" }, null).jobrc).toBeNull();
});
