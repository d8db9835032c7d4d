import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const ROUNDS = 100;

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const waitForPid = async (id: string): Promise<number> => {
  await waitUntil(async () => (await world.job(id)).pid !== null, `job ${id} has a process`);
  return (await world.job(id)).pid ?? Number.NaN;
};

const waitForFile = (path: string): Promise<void> => waitUntil(() => existsSync(path), `${path} is there`);

describe("a server that is killed", () => {
  test("finds its jobs again: each ran once, in order, with its own exit code", async () => {
    const server = await world.startServer();
    const at = (name: string): string => join(world.folder, name);
    const work = (name: string, code: number): string =>
      `echo ${name} >> ${at("effects")}; touch ${at(`${name}-began`)}; until [ -e ${at(`${name}-may-end`)} ]; do sleep 0.02; done; exit ${code}`;
    const jobs = [];
    for (const [index, name] of ["a", "b", "c", "d", "e", "f", "g"].entries()) {
      if (index > 1) writeFileSync(at(`${name}-may-end`), "");
      jobs.push(await world.submit({ command: work(name, index) }));
    }
    await Promise.all([waitForFile(at("a-began")), waitForFile(at("b-began"))]);
    await stopChild(server, "SIGKILL");
    writeFileSync(at("a-may-end"), "");
    await waitForFile(join(world.folder, "server", "jobs", jobs[0]?.id ?? "", "exit_code"));
    const restartedAt = Date.now() / 1000;
    await world.startServer();
    writeFileSync(at("b-may-end"), "");
    const ended = [];
    for (const job of jobs) ended.push(await world.waitFor(job.id));
    expect(ended[0]?.completed_at).toBeLessThanOrEqual(restartedAt);
    expect(ended.map((job) => job.exit_code)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(ended.map((job) => job.status)).toEqual(["completed", ...Array(6).fill("failed")]);
    const effects = readFileSync(at("effects"), "utf8").trim().split("\n");
    expect(effects.toSorted()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    const starts = ended.map((job) => job.started_at ?? 0);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  test("keeps every submission that it answered, killed in the same millisecond", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const server = await world.startServer({ NS_MAX_CPU_JOBS: "0" });
      const response = await world.post("/v1/jobs", {
        user: "tester",
        command: "true",
        num_gpus: 0,
        job_id: `round-${round}`,
      });
      server.kill("SIGKILL");
      expect(response.status).toBe(201);
      await stopChild(server, "SIGKILL");
    }
    const last = await world.startServer({ NS_MAX_CPU_JOBS: "0" });
    const stored = (await (await fetch(`${world.url}/v1/jobs?limit=1000`)).json()) as readonly { id: string }[];
    expect(new Set(stored.map((job) => job.id)).size).toBe(ROUNDS);
    await stopChild(last, "SIGTERM");
  }, 120_000);
});

describe("a server that stops", () => {
  test("leaves its jobs running, and the next one takes them over", async () => {
    const server = await world.startServer();
    const job = await world.submit({ command: `until [ -e ${world.folder}/go ]; do sleep 0.02; done; exit 5` });
    const pid = await waitForPid(job.id);
    await stopChild(server, "SIGTERM");
    await world.startServer();
    expect((await world.job(job.id)).pid).toBe(pid);
    writeFileSync(join(world.folder, "go"), "");
    expect((await world.waitFor(job.id)).exit_code).toBe(5);
  });

  test("is not joined by a second one on its folder", async () => {
    await world.startServer();
    const second = await runProgram([...SERVER, "--port", "0"], { env: world.env, cwd: world.home });
    expect(second.exitCode).toBe(1);
    expect(second.stderr.trim().split("\n")).toHaveLength(1);
    expect(second.stderr).toContain(join(world.folder, "server"));
  });
});

describe("a machine that restarts", () => {
  test("loses its jobs, and says so", async () => {
    const server = await world.startServer();
    const job = await world.submit({ command: "sleep 60" });
    const pid = await waitForPid(job.id);
    await stopChild(server, "SIGKILL");
    process.kill(pid, "SIGKILL");
    await waitUntil(() => !existsSync(`/proc/${pid}`), "the session is gone");
    const db = new Database(join(world.folder, "server", "jobs.db"));
    db.exec(`update jobs set details = replace(details, '"bootId":"', '"bootId":"earlier-')`);
    db.close();
    await world.startServer();
    const lost = await world.waitFor(job.id);
    expect([lost.status, lost.exit_code, lost.error_message]).toEqual(["failed", null, "Lost: the machine restarted"]);
  });
});
