import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { readFigure } from "../../support/parse-exposition.ts";
import { type Finished, NX, ROOT, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const FILES = 3000;
const COMMAND = `seq 1 ${FILES} | xargs touch; echo made > made; exit 3`;
const KEPT = `${FILES + 1} files, 5 B are kept: nx pull`;

type Client = Readonly<{
  child: ChildProcess;
  isDone: () => boolean;
  told: () => string;
  finished: Promise<Finished>;
}>;

let world: World;
let server: ChildProcess;

beforeEach(async () => {
  world = await createWorld();
  const env = { ...world.env, HURRY_FROM: join(world.folder, "hurry") };
  server = spawn(process.execPath, [join(ROOT, "tests", "support", "slow-mover.ts")], { env, stdio: "ignore" });
  await waitUntil(async () => (await world.nx(["health", "--no-autostart"])).exitCode === 0, "the server answers");
});

afterEach(async () => {
  await stopChild(server, "SIGTERM");
  await world.dispose();
});

const hurry = (): void => writeFileSync(join(world.folder, "hurry"), "");

const start = (...words: readonly string[]): Client => {
  const child = spawn(NX, words, { env: world.env, cwd: world.home, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const finished = new Promise<Finished>((resolve) =>
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output })),
  );
  const isDone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return { child, isDone, told: () => output.stderr, finished };
};

const listJobs = async (): Promise<readonly WireJob[]> =>
  (await (await fetch(`${world.url}/v1/jobs`)).json()) as readonly WireJob[];

const findMoving = async (): Promise<string> => {
  await waitUntil(async () => (await listJobs())[0]?.outputs.state === "moving", "its files are being moved");
  const [job] = await listJobs();
  expect(job).toMatchObject({ status: "failed", exit_code: 3 });
  return job?.id ?? "";
};

const countWaiting = async (): Promise<number> => {
  const figures = await (await fetch(`${world.url}/metrics`)).text();
  return readFigure(figures, "nexus_followers", { kind: "events" }) ?? 0;
};

const waitUntilWaiting = (count: number): Promise<void> =>
  waitUntil(async () => (await countWaiting()) === count, `${count} clients wait`);

const findRepo = (id: string): string => join(world.folder, "server", "jobs", id, "repo");

test("while a job's files are moved, what reads them waits, and goes on then with all of them", async () => {
  const run = start("run", "-c", "--no-git", COMMAND);
  const id = await findMoving();
  const files = `${world.url}/v1/jobs/${id}/files`;
  const answers: Response[] = [];
  const asked = Promise.all(
    [`${files}?limit=1`, `${files}/made`, `${files}.tar?glob=made`].map(async (url) => answers.push(await fetch(url))),
  );
  const [wait, list, pull] = [start("wait", id), start("files", "-n", "1", id), start("pull", id)];
  await waitUntilWaiting(4);
  expect((await world.nx(["get", id])).stdout).toContain("are being kept");
  expect([run, wait, list, pull].map(({ isDone }) => isDone())).toEqual([false, false, false, false]);
  expect(answers).toEqual([]);
  expect((await world.job(id)).outputs.state).toBe("moving");
  hurry();
  const line = `${KEPT} ${id}\n`;
  expect(await run.finished).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(line) });
  expect(await wait.finished).toMatchObject({ exitCode: 3, stderr: `Job ${id} failed with exit code 3\n${line}` });
  expect(await list.finished).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`${FILES + 1} files, 5 B`),
  });
  expect(await pull.finished).toMatchObject({ exitCode: 0, stderr: "" });
  expect(readdirSync(join(world.home, "nexus-outputs", id))).toHaveLength(FILES + 1);
  await asked;
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const texts = await Promise.all([...answers].map((answer) => answer.text()));
  expect(texts.filter((text) => text.includes(`"total_files":${FILES + 1}`))).toHaveLength(1);
  expect(texts).toContain("made\n");
  expect((await world.job(id)).outputs).toMatchObject({ state: "kept", files: FILES + 1, pulled: true });
});

test("who does not wait for a job's files to be moved leaves all well", async () => {
  const run = start("run", "-c", "--no-git", COMMAND);
  const id = await findMoving();
  const clients = [run, start("wait", id), start("files", id), start("pull", id)];
  const leaving = new AbortController();
  const asked = fetch(`${world.url}/v1/jobs/${id}/files`, { signal: leaving.signal }).catch(() => "left");
  await waitUntilWaiting(4);
  leaving.abort();
  for (const { child } of clients) child.kill("SIGINT");
  expect(await asked).toBe("left");
  for (const { finished } of clients) {
    const { exitCode, signal, stderr } = await finished;
    expect([exitCode ?? signal, stderr]).toEqual(["SIGINT", expect.not.stringContaining("nx:")]);
  }
  await waitUntilWaiting(0);
  expect((await world.job(id)).outputs.state).toBe("moving");
  expect(existsSync(join(world.home, "nexus-outputs"))).toBe(false);
  hurry();
  expect((await world.nx(["wait", id])).stderr).toEndWith(`${KEPT} ${id}\n`);
  expect((await world.nx(["pull", "-q", id])).exitCode).toBe(0);
  await waitUntil(() => !existsSync(findRepo(id)), "its folder is gone");
});

test("nx wait --timeout bounds the moving, too: the job has ended, and its own exit code counts", async () => {
  const run = start("run", "-c", "--no-git", COMMAND);
  const id = await findMoving();
  const told = `Job ${id} failed with exit code 3\nWhat job ${id} made is still being kept: nx files ${id}\n`;
  const once = await world.nx(["wait", "-q", "--timeout", "0", id]);
  expect(once).toMatchObject({ exitCode: 3, stdout: `${id}\n`, stderr: told });
  const { id: other } = await world.submit({ command: "echo hello; exit 4", num_gpus: 0 });
  await world.waitFor(other);
  const words = ["--jsonl", "--fields", "id,exit_code", "--timeout", "1s", id, other];
  const all = await world.nx(["wait", ...words]);
  expect(all.stdout.split("\n").toSorted()).toEqual(
    ["", `{"id":"${id}","exit_code":3}`, `{"id":"${other}","exit_code":4}`].toSorted(),
  );
  expect(all.exitCode).toBe(3);
  expect((await world.nx(["wait", "--any", "--timeout", "0.2s", id])).exitCode).toBe(3);
  expect((await world.job(id)).outputs.state).toBe("moving");
  hurry();
  expect((await run.finished).exitCode).toBe(3);
});

test("nx wait tells the end of each job when it ends, not when files of another are kept", async () => {
  const run = start("run", "-c", "--no-git", COMMAND);
  const id = await findMoving();
  const { id: other } = await world.submit({ command: "true", num_gpus: 0 });
  const late = start("wait", "--timeout", "10m", id, other);
  await waitUntil(() => late.told().includes(`Job ${other} completed`), "the second is told");
  hurry();
  expect(await late.finished).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`${KEPT} ${id}\n`) });
  await run.finished;
});
