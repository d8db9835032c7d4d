import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "bun:test";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FailureDocument } from "../../../src/command-line/failure-document.ts";
import type { WireJob } from "../../../src/wire/job.ts";
import { createPipedNx } from "../../support/piped-nx.ts";
import { type Finished, killProcess, listProcessesWith, NX } from "../../support/programs.ts";
import { makeJob } from "../../support/top-samples.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const readFailure = ({ stderr }: Finished): FailureDocument =>
  JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as FailureDocument;

const hold = (name: string, exitCode: number): Promise<WireJob> =>
  world.submit({ command: `until [ -e ${world.home}/${name} ]; do sleep 0.02; done; exit ${exitCode}`, num_gpus: 0 });

const release = (name: string): void => writeFileSync(join(world.home, name), "");

const start = (words: readonly string[]) => {
  const child = spawn(NX, words, { cwd: world.home, env: world.env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const { promise, resolve } = Promise.withResolvers<Finished>();
  child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  return { child, output, finished: promise };
};

test("nx wait ID starts the local server, as any verb does", async () => {
  const asked = await world.nx(["wait", "nosuch"]);
  expect(asked.stderr).toContain("starting one");
  expect([asked.exitCode, asked.stderr]).toEqual([5, expect.stringMatching(/nx: There is no job nosuch\n$/)]);
  for (const pid of listProcessesWith(`HOME=${world.home}`)) killProcess(pid);
});

describe("nx wait", () => {
  beforeEach(async () => {
    await world.startServer();
  });

  test("-q prints each id when its job ends, whatever the order given", async () => {
    const [first, second] = [await hold("first", 3), await hold("second", 0)];
    const { output, finished } = start(["wait", "-q", first.id, second.id]);
    release("second");
    await waitUntil(() => output.stdout === `${second.id}\n`, "the second is told");
    release("first");
    expect(await finished).toMatchObject({ exitCode: 3, stdout: `${second.id}\n${first.id}\n` });
  });

  test("--jsonl prints each job when it ends, --json all in the order given", async () => {
    const [first, second] = [await hold("first", 3), await hold("second", 4)];
    const lines = start(["wait", "--jsonl", "--fields", "id,exit_code", first.id, second.id]);
    const whole = start(["wait", "--json", first.id, second.id]);
    release("second");
    await waitUntil(() => lines.output.stdout === `{"id":"${second.id}","exit_code":4}\n`, "the second is told");
    release("first");
    expect((await lines.finished).stdout).toEndWith(`{"id":"${first.id}","exit_code":3}\n`);
    const { exitCode, stdout, ...rest } = await whole.finished;
    expect([exitCode, (JSON.parse(stdout) as readonly WireJob[]).map(({ id }) => id)]).toEqual([
      3,
      [first.id, second.id],
    ]);
    expect(readFailure({ exitCode, stdout, ...rest })).toEqual({
      error: "JOB_FAILED",
      message: `Job ${first.id} failed with exit code 3`,
      hint: `see its output with: nx logs ${first.id}`,
      exit_code: 3,
    });
  });

  test("--any ends with the first that ends, and its exit code", async () => {
    const [first, second] = [await hold("first", 3), await hold("second", 4)];
    const { finished } = start(["wait", "--any", "-q", first.id, second.id]);
    release("second");
    expect(await finished).toMatchObject({ exitCode: 4, stdout: `${second.id}\n` });
    expect((await world.job(first.id)).status).toBe("running");
  });

  test("--timeout gives up in time, says what has not ended, and shows what has", async () => {
    const { id: done } = await world.submit({ command: "true", num_gpus: 0 });
    await world.waitFor(done);
    const { id } = await hold("never", 0);
    const words = ["wait", "--json", "--fields", "id", "--timeout", "0.5s", done, id];
    const late = await world.nx(words);
    expect([late.exitCode, JSON.parse(late.stdout)]).toEqual([1, [{ id: done }]]);
    expect(readFailure(late)).toEqual({
      error: "TIMEOUT",
      message: "1 of 2 jobs have not ended within 0.5s",
      hint: `wait on with: nx wait ${id}`,
      exit_code: 1,
    });
    const alone = await world.nx(["wait", "--any", "--timeout", "0", id]);
    expect([alone.exitCode, alone.stderr]).toEqual([
      1,
      `nx: job ${id} has not ended within 0; wait on with: nx wait ${id}\n`,
    ]);
    expect((await world.nx(["wait", "--timeout", "0", done])).exitCode).toBe(0);
    const enough = await world.nx(["wait", "--any", "--timeout", "10m", id, done]);
    expect(enough.exitCode).toBe(0);
  });

  test("asks first whether there are all of the jobs", async () => {
    const { id } = await hold("never", 0);
    const asked = await world.nx(["wait", "--json", id, "nosuch"]);
    expect([asked.exitCode, asked.stdout]).toEqual([5, ""]);
    expect(readFailure(asked).error).toBe("JOB_NOT_FOUND");
    expect((await world.nx(["wait", "--timeout", "soon", id])).exitCode).toBe(2);
  });
});

describe("nx wait --timeout, where the server goes silent", () => {
  const piped = createPipedNx(() => world.home);
  const silent = (): Promise<never> => new Promise<never>(() => undefined);

  const serve = (answer: (path: string, asked: number) => Response | Promise<Response>): string => {
    let asked = 0;
    const fetch = ({ url }: Request) => answer(new URL(url).pathname, asked++);
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch });
    onTestFinished(() => server.stop(true));
    return String(server.port);
  };

  const job = (): Response => Response.json(makeJob({ id: "k3f9ab", status: "running", exit_code: null }));
  const events = (): Response =>
    new Response(new ReadableStream<string>({ start: (stream) => stream.enqueue("retry: 1000\n\n") }));
  const late = { error: "TIMEOUT", message: "job k3f9ab has not ended within 0.5s", exit_code: 1 };

  test.each<readonly [string, (path: string, asked: number) => Response | Promise<Response>]>([
    ["before it tells of events", (path) => (path === "/v1/events" ? silent() : job())],
    [
      "when it is asked for the job again",
      (path, asked) => (path === "/v1/events" ? events() : asked > 0 ? silent() : job()),
    ],
  ])("gives up in time: %s", async (_when, answer) => {
    const waited = await piped(["wait", "--json", "--timeout", "0.5s", "k3f9ab"], "", { NS_PORT: serve(answer) });
    expect([waited.exitCode, waited.stdout, readFailure(waited)]).toMatchObject([1, "[]\n", late]);
  });

  test("gives it a few seconds to answer at all, and says that it did not", async () => {
    const words = ["wait", "--json", "--timeout", "0.5s", "k3f9ab"];
    const waited = await piped(words, "", { NS_PORT: serve(silent) });
    const message = "the server has not answered within 0.5s";
    expect([waited.exitCode, readFailure(waited)]).toMatchObject([1, { error: "TIMEOUT", message, exit_code: 1 }]);
  });
});

describe("nx run --json", () => {
  beforeEach(async () => {
    await world.startServer();
  });

  const run = (...words: readonly string[]) => world.nx(["run", "--json", "--no-git", "-c", ...words]);

  test("waits for the end, prints the ended job, and says that the exit code is the job's", async () => {
    const good = await run("echo hello");
    expect([good.exitCode, JSON.parse(good.stdout)]).toMatchObject([0, { status: "completed", exit_code: 0 }]);
    const bad = await run("exit 3");
    const { id } = JSON.parse(bad.stdout) as WireJob;
    expect([bad.exitCode, JSON.parse(bad.stdout)]).toMatchObject([3, { status: "failed", exit_code: 3 }]);
    const told = { error: "JOB_FAILED", message: `Job ${id} failed with exit code 3`, exit_code: 3 };
    expect(readFailure(bad)).toMatchObject(told);
    for (const words of [["--json"], ["--jsonl"], ["--fields", "id"]]) {
      expect(JSON.parse((await world.nx(["wait", ...words, id])).stderr)).toMatchObject(told);
    }
  });

  test("with -d prints the started job at once", async () => {
    const started = await run("-d", "sleep 300");
    expect([started.exitCode, JSON.parse(started.stdout)]).toMatchObject([0, { exit_code: null }]);
  });

  test("says of a killed job that it was killed, and leaves one behind where it is interrupted itself", async () => {
    const { child, finished } = start(["run", "--json", "--no-git", "-c", "sleep 300"]);
    const list = async (): Promise<string> => (await world.nx(["running", "-q"])).stdout.trim();
    await waitUntil(async () => (await list()) !== "", "the job runs");
    const id = await list();
    const again = start(["wait", "--json", id]);
    child.kill("SIGINT");
    const left = await finished;
    expect([left.exitCode, left.stdout]).toEqual([130, ""]);
    const told = {
      error: "INTERRUPTED",
      message: `interrupted; job ${id} goes on`,
      hint: `come back with: nx wait ${id}`,
    };
    expect(readFailure(left)).toEqual({ ...told, exit_code: 130 });
    await world.waitFor(id, ["running"]);
    await world.nx(["kill", "-y", id]);
    const killed = await again.finished;
    expect([killed.exitCode, readFailure(killed)]).toMatchObject([143, { error: "JOB_KILLED", exit_code: 143 }]);
  });

  test("tells a failure of its own by its own word", async () => {
    expect(readFailure(await world.nx(["run", "--json", "--no-git", "-i", "7", "true"]))).toMatchObject({
      error: "GPU_ERROR",
      exit_code: 2,
    });
    await world.nx(["run", "-d", "--no-git", "-g", "2", "sleep 300"]);
    expect(readFailure(await world.nx(["run", "--json", "--no-git", "true"]))).toMatchObject({
      error: "GPU_ERROR",
      hint: "queue it with: nx add …",
      exit_code: 6,
    });
  });
});
