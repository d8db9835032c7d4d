import { expect, test } from "bun:test";
import { explainExit } from "./failure-reason.ts";

const MISSING = "There is no command pyhton on the job's PATH";

test.each([
  [127, "bash: line 1: pyhton: command not found", MISSING],
  [127, "/srv/jobs/a/job_commands.sh: line 4: pyhton: command not found", MISSING],
  [127, "sh: 1: pyhton: not found", MISSING],
  [127, "bash: line 1: exec: pyhton: not found", MISSING],
  [127, "env: ‘pyhton’: No such file or directory", MISSING],
  [127, "nice: 'pyhton': No such file or directory", MISSING],
  [127, "timeout: failed to run command ‘pyhton’: No such file or directory", MISSING],
  [127, "bash: ./train.sh: No such file or directory", "There is no file ./train.sh"],
  [
    127,
    "bash: ./train.sh: cannot execute: required file not found",
    "The program that ./train.sh names in its first line is not there",
  ],
  [127, "all done", "A shell ends so where it finds no such command"],
  [127, "RuntimeError: CUDA error: out of memory", "The GPU ran out of memory"],
  [
    126,
    "bash: line 1: ./train.sh: Permission denied",
    "./train.sh may not be executed: chmod +x it, or name its interpreter before it",
  ],
  [126, "bash: /tmp: Is a directory", "/tmp is a folder, no program"],
  [126, "bash: ./a.out: cannot execute binary file: Exec format error", "./a.out is no program for this machine"],
  [126, "timeout: failed to run command ‘./a.out’: Exec format error", "./a.out is no program for this machine"],
  [126, "", "A shell ends so where a file may not be executed, or is no program"],
  [1, "bash: line 1: pyhton: command not found", null],
] as const)("of exit code %d after %p the reason is %p", (exitCode, line, reason) => {
  expect(explainExit(exitCode, ["epoch 1", line, ""])).toBe(reason);
});

test("the last one that the shell told of is the reason", () => {
  const lines = ["bash: one: command not found", "bash: two: command not found"];
  expect(explainExit(127, lines)).toBe("There is no command two on the job's PATH");
});

test("a name is short, and found at once in a long log", () => {
  const startedAt = performance.now();
  expect(explainExit(127, [`bash: ${"x".repeat(400)}: command not found`])).toHaveLength(138);
  explainExit(
    127,
    Array.from({ length: 200 }, () => ": x".repeat(100_000)),
  );
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
