import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFigure } from "../../support/parse-exposition.ts";
import { NX, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const OWN_NAME = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();

type Line = Readonly<Record<string, unknown>>;

let world: World;
let servers: ChildProcess[];

beforeEach(async () => {
  world = await createWorld();
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await stopChild(server, "SIGKILL");
  await world.dispose();
});

const logPath = (): string => join(world.folder, "server.log");

const startLogging = async (): Promise<ChildProcess> => {
  const log = openSync(logPath(), "a");
  const server = spawn(SERVER[0] ?? "", SERVER.slice(1), { env: world.env, stdio: ["ignore", log, "ignore"] });
  closeSync(log);
  servers.push(server);
  await waitUntil(
    async () => (await fetch(`${world.url}/v1/health`).catch(() => null))?.ok ?? false,
    "the server answers",
  );
  return server;
};

const readLines = (): readonly Line[] =>
  readFileSync(logPath(), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

const listMoves = (id: string): readonly unknown[] =>
  readLines()
    .filter((line) => line["job_id"] === id)
    .map(({ from, to, reason }) => `${from} > ${to}: ${reason}`);

const read = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> =>
  readFigure(await (await fetch(`${world.url}/metrics`)).text(), name, labels);

test("the log tells each step of a job, a crash of the server between, and the figures move with it", async () => {
  const first = await startLogging();
  const job = await world.submit({ command: "true; exec sleep 300", job_id: "long" });
  await world.waitFor(job.id, ["running"]);
  await waitUntil(() => listMoves(job.id).length === 3, "the launch is told");
  expect(await read("nexus_jobs", { status: "running" })).toBe(1);
  expect(await read("nexus_gpus", { state: "busy" })).toBe(1);
  expect(await read("nexus_jobs_submitted_total")).toBe(1);
  expect(await read("nexus_job_submit_to_start_seconds_count")).toBe(1);
  expect(await read("nexus_store_commit_seconds_count")).toBeGreaterThanOrEqual(3);
  expect(await read("nexus_http_requests_total", { method: "POST", route: "/v1/jobs", status: "201" })).toBe(1);
  await stopChild(first, "SIGKILL");
  await startLogging();
  const headers = { "x-request-id": "kill-1" };
  await fetch(`${world.url}/v1/jobs/${job.id}/kill`, { method: "POST", headers });
  await world.waitFor(job.id);
  await waitUntil(() => listMoves(job.id).length === 6, "the end is told");
  expect(listMoves(job.id)).toEqual([
    "null > queued: submitted by 127.0.0.1",
    "queued > starting: its turn has come",
    "starting > running: launched",
    "running > running: adopted at restart: its session lives",
    "running > running: kill asked for by 127.0.0.1",
    "running > killed: killed by 127.0.0.1",
  ]);
  expect(await read("nexus_jobs_ended_total", { status: "killed" })).toBe(1);
  const ofKill = readLines().filter((line) => line["request_id"] === "kill-1");
  expect(ofKill.map(({ msg, path }) => [msg, path])).toEqual([
    ["job changed", undefined],
    ["request", `/v1/jobs/${job.id}/kill`],
  ]);
});

test.each([
  ["the port", { NEXUS_SOCKET: "" }, "tester at 127.0.0.1"],
  ["the socket", {}, `${OWN_NAME} at socket:${OWN_NAME}`],
])("a follower of a log is counted until it hangs up, and who kills its job by %s is told", async (_way, more, who) => {
  await startLogging();
  const job = await world.submit({ command: "echo here; exec sleep 300", num_gpus: 0 });
  await world.waitFor(job.id, ["running"]);
  const hangUp = new AbortController();
  const { body } = await fetch(`${world.url}/v1/jobs/${job.id}/logs/stream`, { signal: hangUp.signal });
  await body?.getReader().read();
  expect(await read("nexus_followers", { kind: "logs" })).toBe(1);
  hangUp.abort();
  await waitUntil(async () => (await read("nexus_followers")) === 0, "the follower is gone");
  const killed = await runProgram([NX, "kill", "-y", job.id], { env: { ...world.env, ...more }, cwd: world.home });
  expect(killed.exitCode).toBe(0);
  await waitUntil(() => listMoves(job.id).length === 5, "the end is told");
  expect(listMoves(job.id).slice(-2)).toEqual([
    `running > running: kill asked for by ${who}`,
    `running > killed: killed by ${who}`,
  ]);
});
