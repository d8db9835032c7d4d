import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERBS } from "../../../src/cli/verb-table.ts";
import type { ProgramDescription } from "../../../src/command-line/describe-program.ts";
import type { FailureDocument } from "../../../src/command-line/failure-document.ts";
import { ERROR_CODES } from "../../../src/wire/error.ts";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NX } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";

let home: string;
let asked: string[];
let answer: (path: string) => Response | Promise<Response>;
let server: Bun.Server<undefined>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-json-failures-"));
  asked = [];
  const fetch = ({ url }: Request): Response | Promise<Response> => {
    asked.push(new URL(url).pathname);
    return answer(new URL(url).pathname);
  };
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
});

afterEach(async () => {
  await server.stop(true);
  rmSync(home, { recursive: true, force: true });
});

const piped = createPipedNx(() => home);
const nx = (words: readonly string[]): Promise<Finished> => piped(words, "", { NS_PORT: String(server.port) });

const readFailure = ({ stderr, exitCode }: Finished): FailureDocument => {
  const told = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as FailureDocument;
  expect(Object.keys(told)).toEqual(["error", "message", "hint", "exit_code"]);
  expect(told.exit_code).toBe(exitCode ?? -1);
  return told;
};

const refuse = (code: string, status: number, more: object = {}): Response =>
  Response.json({ error: code, message: `it is ${code}`, status_code: status, ...more }, { status });

describe("with --json a failure is a document on standard error", () => {
  test.each(Object.keys(VERBS))("also wrong usage: nx %s with a flag that there is not", async (verb) => {
    const finished = await nx([verb, "--json", "--no-such-flag"]);
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(readFailure(finished)).toMatchObject({ error: "WRONG_USAGE", hint: expect.any(String) });
  });

  test.each([
    [["queu", "--json"], '"queu" is not a verb of nx', "did you mean queue?"],
    [["--json", "queu"], '"queu" is not a verb of nx', "did you mean queue?"],
    [["history", "--json", "--exit", "none"], '--exit takes a whole number from 0 to 255, not "none"', null],
    [["help", "queu", "--json"], '"queu" is not a verb of nx', "did you mean queue?"],
    [["queue", "--json", "-n", "none"], '--count takes a whole number from 1 to 10000, not "none"', null],
    [["run", "--json"], "nx run without a command opens a shell, which needs a terminal", "give a command, or -d"],
    [["redo", "--json"], "nx redo takes job ids", "see nx history, for example: nx redo k3f9ab"],
    [["get", "--json"], "nx get takes one job id", "see nx queue and nx history"],
    [["remove", "--json"], "nx remove needs a job id, a name or a regular expression", "see nx queue"],
    [["run", "--json", "--gpu", "2", "true"], "--gpu is not a flag of nx run", "did you mean --gpus?"],
    [["rerun", "--json"], '"rerun" is not a verb of nx', "nx redo adds a job again"],
  ] as const)("nx %j", async (words, message, hint) => {
    const told = { error: "WRONG_USAGE", message, hint, exit_code: 2 };
    expect(readFailure(await nx(words))).toEqual(told);
  });

  test("nx help help is nx help", async () => {
    for (const words of [[], ["--json"]])
      expect(await nx(["help", "help", ...words])).toEqual(await nx(["help", ...words]));
  });

  test.each(["history", "queue", "logs"])(
    "nx help %s --json calls the flags that take a whole number so, and no others",
    async (verb) => {
      const { verbs } = JSON.parse((await nx(["help", verb, "--json"])).stdout) as ProgramDescription;
      answer = () => refuse("UNAVAILABLE", 503);
      for (const { name, type } of verbs[0]?.flags.filter((flag) => flag.value !== null) ?? []) {
        const { message } = readFailure(await nx([verb, "--json", name, "("]));
        expect([name, message.includes("takes a whole number")]).toEqual([name, type === "integer"]);
      }
    },
  );

  test("words of a job's command ask for nothing", async () => {
    for (const words of [
      ["run", "-x", "train", "--json"],
      ["run", "-x", "--", "--json"],
      ["redo", "-x", "a", "--", "--json"],
    ]) {
      const finished = await nx(words);
      expect([finished.exitCode, finished.stderr]).toEqual([2, expect.stringMatching(/^nx: -x is not a flag/)]);
    }
  });

  test.each(ERROR_CODES)("with the server's own word: %s", async (code) => {
    answer = () => refuse(code, 400, { hint: "what to do" });
    const finished = await nx(["health", "--json"]);
    const told = { error: code, message: `it is ${code}`, hint: "what to do" };
    expect(readFailure(finished)).toMatchObject(told);
    const inWords = await nx(["health"]);
    expect([inWords.exitCode, inWords.stderr]).toEqual([finished.exitCode, `nx: it is ${code}; what to do\n`]);
  });

  test("where no server is, or what answers is none", async () => {
    answer = () => new Response("<html>");
    expect(readFailure(await nx(["queue", "--json"]))).toMatchObject({ error: "FAILED", exit_code: 1 });
    const port = String(server.port);
    await server.stop(true);
    const away = await piped(["queue", "--json"], "", { NS_PORT: port });
    expect(readFailure(away)).toMatchObject({ error: "NOT_LISTENING", exit_code: 3 });
    expect(readFailure(await piped(["--json", "-t", "lab"]))).toMatchObject({ error: "NO_SUCH_THING", exit_code: 5 });
  });

  test("where it is interrupted", async () => {
    answer = () => new Promise<never>(() => undefined);
    const env = { ...createUserEnvironment(home), NS_PORT: String(server.port) };
    const child = spawn(NX, ["queue", "--json"], { cwd: home, env, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await waitUntil(() => asked.length > 0, "the server is asked");
    child.kill("SIGINT");
    const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
    const told = { error: "INTERRUPTED", message: "interrupted", hint: null, exit_code: 130 };
    expect(readFailure({ stderr, exitCode, signal: null, stdout: "" })).toEqual(told);
  });

  test("and without it one line of words", async () => {
    const finished = await nx(["queu"]);
    expect(finished.stderr).toBe('nx: "queu" is not a verb of nx; did you mean queue?\n');
  });
});
