import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { listProcessesWith, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const SETTINGS = { NS_REFRESH_RATE: "0.3", NS_MAX_CPU_JOBS: "9" };
const NOTHING_STARTS = { ...SETTINGS, NS_MAX_CPU_JOBS: "0" };

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const at = (name: string): string => join(world.folder, name);

const inServer = (name: string): string => join(world.folder, "server", name);

const serve = (...words: readonly string[]) => runProgram([...SERVER, ...words], { env: world.env, cwd: world.home });

const submit = (id: string, command: string) => world.submit({ job_id: id, command, num_gpus: 0 });

const submitMany = (count: number): Promise<Response> =>
  world.post(
    "/v1/jobs/batch",
    Array.from({ length: count }, () => ({ user: "t", command: "true", num_gpus: 0, jobrc: `# ${"x".repeat(2000)}` })),
  );

const findPagesOf = (table: string): readonly number[] => {
  const db = new Database(inServer("jobs.db"), { readonly: true });
  const pages = db.query<{ pageno: number }, [string]>(
    "select pageno from dbstat where name = ? and pagetype = 'leaf'",
  );
  const found = pages.all(table).map(({ pageno }) => pageno);
  db.close();
  return found;
};

const damage = (pages: readonly number[]): void => {
  const file = openSync(inServer("jobs.db"), "r+");
  for (const page of pages) writeSync(file, new Uint8Array(4096).fill(0x55), 0, 4096, (page - 1) * 4096);
  closeSync(file);
};

const list = (): Promise<Response> => fetch(`${world.url}/v1/jobs?status=queued&limit=10000`);

const isAlive = (server: ChildProcess): boolean => server.exitCode === null && server.signalCode === null;

describe("a damaged database", () => {
  test("found while the server runs is told with 503 and what to do, ends nothing, and a restore heals it", async () => {
    const first = await world.startServer(NOTHING_STARTS);
    expect((await submitMany(500)).status).toBe(201);
    await stopChild(first, "SIGTERM");
    expect((await serve("backup")).exitCode).toBe(0);
    damage(findPagesOf("jobs").slice(20, 40));
    const before = readFileSync(inServer("jobs.db"));
    const server = await world.startServer(NOTHING_STARTS);
    const response = await list();
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        error: "UNAVAILABLE",
        message: expect.stringContaining("it is damaged, nexus-server restore"),
        status_code: 503,
      },
    ]);
    expect((await fetch(`${world.url}/v1/health`)).status).toBe(200);
    expect(isAlive(server)).toBe(true);
    expect((await serve("backup", "--output", at("useless.db"))).stderr).toContain("is damaged");
    await stopChild(server, "SIGTERM");
    expect(readFileSync(inServer("jobs.db")).equals(before)).toBe(true);
    expect((await serve("restore")).exitCode).toBe(0);
    await world.startServer(NOTHING_STARTS);
    const jobs = (await (await list()).json()) as readonly unknown[];
    expect(jobs).toHaveLength(500);
    for (const name of ["jobs.db", "jobs.db-wal", "jobs.db-shm"]) rmSync(inServer(name), { force: true });
  });

  test("found at the start is told in one line with what to do, and left as it is", async () => {
    const server = await world.startServer(SETTINGS);
    await submit("runs", `until [ -e ${at("go")} ]; do sleep 0.02; done; exit 5`);
    await waitUntil(() => existsSync(inServer("jobs/runs/started")), "it runs");
    expect((await serve("backup")).exitCode).toBe(0);
    await stopChild(server, "SIGTERM");
    damage(findPagesOf("jobs"));
    const before = readFileSync(inServer("jobs.db"));
    const refused = await serve();
    expect([refused.exitCode, refused.stderr.trim().split("\n")]).toEqual([
      1,
      [expect.stringContaining("it is damaged, nexus-server restore puts the last backup in its place")],
    ]);
    expect(readFileSync(inServer("jobs.db")).equals(before)).toBe(true);
    expect((await serve("restore")).exitCode).toBe(0);
    await world.startServer(SETTINGS);
    expect((await world.job("runs")).status).toBe("running");
    writeFileSync(at("go"), "");
    expect((await world.waitFor("runs")).exit_code).toBe(5);
  });

  test("whose write-ahead log was cut short has all that is whole, and goes on", async () => {
    const server = await world.startServer(NOTHING_STARTS);
    await submit("early", "exit 4");
    const { size } = statSync(inServer("jobs.db-wal"));
    await submit("late", "exit 5");
    await stopChild(server, "SIGKILL");
    truncateSync(inServer("jobs.db-wal"), Math.max(size, statSync(inServer("jobs.db-wal")).size - 100));
    await world.startServer(SETTINGS);
    expect((await world.waitFor("early")).exit_code).toBe(4);
    expect((await fetch(`${world.url}/v1/jobs/late`)).status).toBe(404);
    await submit("later", "exit 6");
    expect((await world.waitFor("later")).exit_code).toBe(6);
  });
});

const waitForGo = (exitCode: number): string => `until [ -e ${at("go")} ]; do sleep 0.02; done; exit ${exitCode}`;

const start = async (id: string, command: string): Promise<void> => {
  await submit(id, command);
  await waitUntil(() => existsSync(inServer(`jobs/${id}/started`)), "it runs");
};

describe("the folder of a job, removed by hand", () => {
  test("while the job runs costs its result, which is told, and nothing of other jobs", async () => {
    await world.startServer(SETTINGS);
    await start("bare", waitForGo(5));
    await start("other", waitForGo(6));
    rmSync(inServer("jobs/bare"), { recursive: true });
    writeFileSync(at("go"), "");
    const bare = await world.waitFor("bare");
    expect([bare.status, bare.exit_code, bare.error_message]).toEqual([
      "failed",
      null,
      "Lost: its folder was removed, and its exit code with it",
    ]);
    expect((await world.waitFor("other")).exit_code).toBe(6);
    await submit("later", "exit 7");
    expect((await world.waitFor("later")).exit_code).toBe(7);
  });

  test("while the job waits or after its end harms nothing: its log is empty", async () => {
    const server = await world.startServer(SETTINGS);
    await submit("ended", "echo hello; exit 3");
    await world.waitFor("ended");
    await stopChild(server, "SIGTERM");
    const again = await world.startServer(NOTHING_STARTS);
    await submit("waits", "exit 4");
    rmSync(inServer("jobs"), { recursive: true });
    expect(await (await fetch(`${world.url}/v1/jobs/ended/logs`)).json()).toEqual({ data: "", removed: true });
    await stopChild(again, "SIGTERM");
    await world.startServer(SETTINGS);
    expect((await world.waitFor("waits")).exit_code).toBe(4);
    expect((await world.job("ended")).exit_code).toBe(3);
  });
});

describe("a screen session, killed by hand", () => {
  test("ends its job: it is told, no process of it survives, and its GPU is free", async () => {
    await world.startServer(SETTINGS);
    await world.submit({ job_id: "held", command: "sleep 300", num_gpus: 2 });
    await waitUntil(() => existsSync(inServer("jobs/held/started")), "it runs");
    await world.waitFor("held", ["running"]);
    process.kill((await world.job("held")).pid ?? Number.NaN, "SIGKILL");
    const held = await world.waitFor("held");
    expect([held.status, held.exit_code, held.error_message]).toEqual([
      "failed",
      null,
      expect.stringContaining("Lost: its session ended without an exit code"),
    ]);
    await world.submit({ job_id: "next", command: "exit 8", num_gpus: 2 });
    expect((await world.waitFor("next")).exit_code).toBe(8);
    expect(listProcessesWith("NEXUS_JOB_ID=held")).toEqual([]);
  });
});

describe("a machine that restarts, with the pid of a job's session in use again", () => {
  test("loses the job, and leaves the stranger alone", async () => {
    const server = await world.startServer(SETTINGS);
    await start("old", "sleep 300");
    const pid = (await world.job("old")).pid ?? Number.NaN;
    await stopChild(server, "SIGKILL");
    spawnSync("kill", ["-KILL", ...listProcessesWith("NEXUS_JOB_ID=old").map(String)]);
    await waitUntil(() => !existsSync(`/proc/${pid}`), "the session is gone");
    spawnSync("screen", ["-wipe", `${pid}.nexus_job_old`]);
    const stranger = Bun.spawn(["sleep", "300"]);
    const db = new Database(inServer("jobs.db"));
    db.exec(`update jobs set details =
      json_set(details, '$.handle.pid', ${stranger.pid}, '$.handle.bootId', 'earlier', '$.markedForKill', json('true'))`);
    db.close();
    await world.startServer(SETTINGS);
    const old = await world.waitFor("old");
    expect([old.status, old.exit_code]).toEqual(["killed", null]);
    expect(stranger.exitCode).toBeNull();
    stranger.kill("SIGKILL");
    await stranger.exited;
  });
});
