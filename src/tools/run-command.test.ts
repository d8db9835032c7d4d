import { describe, expect, onTestFinished, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { killProcess } from "../../tests/support/programs.ts";
import { waitUntil } from "../../tests/support/wait.ts";
import { runCommand } from "./run-command.ts";

const limits = { timeoutMs: 5000, maxOutputBytes: 1000 };

describe("runCommand", () => {
  test("gives output and exit code", async () => {
    const outcome = await runCommand(["bash", "-c", "echo out; echo err >&2; exit 3"], limits);
    expect(outcome).toEqual({ ok: true, value: { stdout: "out\n", stderr: "err\n", exitCode: 3 } });
  });

  test("passes arguments without a shell, and the given environment only", async () => {
    const outcome = await runCommand(["printf", "%s|", "$HOME", "a b", ""], limits);
    expect(outcome.ok && outcome.value.stdout).toBe("$HOME|a b||");
    const env = await runCommand(["/usr/bin/env"], { ...limits, env: { ONE: "1", TWO: undefined } });
    expect(env.ok && env.value.stdout).toBe("ONE=1\n");
  });

  test("a program that does not exist is an error", async () => {
    const outcome = await runCommand(["no-such-program-here"], limits);
    expect(outcome).toEqual({
      ok: false,
      error: { message: expect.stringMatching(/^no-such-program-here could not be run/) },
    });
  });

  test("a program that takes too long is killed, even if it traps TERM and its child holds the pipe", async () => {
    const pidFile = join(mkdtempSync(join(tmpdir(), "nexus-command-")), "pid");
    onTestFinished(() => rmSync(dirname(pidFile), { recursive: true }));
    const script = "trap '' TERM; sleep 300 & echo $$ $! > $0; wait";
    const outcome = await runCommand(["bash", "-c", script, pidFile], { ...limits, timeoutMs: 300 });
    expect(outcome).toEqual({ ok: false, error: { message: "bash did not answer within 300 ms" } });
    const [pid, child] = readFileSync(pidFile, "utf8").trim().split(" ").map(Number);
    onTestFinished(() => killProcess(Number(child)));
    await waitUntil(() => !existsSync(`/proc/${pid}`), "it is gone");
  });

  test("of a program that is killed it is told when it has gone, and of no other", async () => {
    const killed: Promise<void>[] = [];
    const onKill = (gone: Promise<void>) => void killed.push(gone);
    await runCommand(["true"], { ...limits, onKill });
    await runCommand(["no-such-program-here"], { ...limits, onKill });
    expect(killed).toEqual([]);
    await runCommand(["sleep", "60"], { ...limits, timeoutMs: 50, onKill });
    expect(killed).toHaveLength(1);
    await Promise.all(killed);
  });

  test("a program is ended with what it was asked for", async () => {
    const ending = new AbortController();
    const asked = runCommand(["sleep", "60"], { ...limits, signal: ending.signal });
    ending.abort();
    expect((await asked).ok).toBe(false);
  });

  test("a program that prints too much is stopped, one that prints as much as it may is not", async () => {
    const most = await runCommand(["printf", "%1000s", ""], limits);
    expect(most.ok && most.value.stdout).toBe(" ".repeat(1000));
    const outcome = await runCommand(["yes"], limits);
    expect(outcome).toEqual({ ok: false, error: { message: "yes printed more than 1000 bytes" } });
  });

  test("death by signal S is exit code 128 + S", async () => {
    const outcome = await runCommand(["bash", "-c", "kill -KILL $$"], limits);
    expect(outcome.ok && outcome.value.exitCode).toBe(137);
  });

  test("bytes that are no UTF-8 are replaced", async () => {
    const outcome = await runCommand(["printf", "a\\377b"], limits);
    expect(outcome.ok && outcome.value.stdout).toBe("a\uFFFDb");
  });
});
