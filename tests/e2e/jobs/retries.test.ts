import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { killProcess, listProcessesWith, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const place = (name: string): string => join(world.folder, name);

const folderOf = (id: string): string => place(join("server", "jobs", id));

const submit = async (words: readonly string[], command: string): Promise<string> => {
  const added = await world.nx(["add", "-c", "--no-git", "-q", ...words, command]);
  if (added.exitCode !== 0) throw new Error(added.stderr);
  return added.stdout.trim();
};

const waitForAttempts = async (id: string, count: number): Promise<WireJob> => {
  await waitUntil(async () => (await world.job(id)).attempts.length >= count, `job ${id} has ${count} attempts`);
  return world.job(id);
};

const waitForRetry = async (id: string): Promise<WireJob> => {
  await waitUntil(async () => {
    const { status, attempts } = await world.job(id);
    return status === "queued" && attempts.length > 0;
  }, `job ${id} waits for another attempt`);
  return world.job(id);
};

const bringForward = async (server: Parameters<typeof stopChild>[0], id: string): Promise<void> => {
  await stopChild(server, "SIGKILL");
  const db = new Database(place("server/jobs.db"));
  db.query(
    "update jobs set details = json_set(details, '$.past.retryAt', 1), ready_at = 0, begins_at = 0 where id = ?",
  ).run(id);
  db.close();
};

const expectReads = async (id: string): Promise<void> => {
  for (const [words, said] of [
    [[], "attempt 2"],
    [["--attempt", "2"], "attempt 2"],
    [["--attempt", "1"], "attempt 1"],
  ] as const)
    expect((await world.nx(["logs", ...words, id])).stdout).toContain(`\n${said}\n`);
  for (const attempt of ["1", "2"]) {
    const files = await world.nx(["files", "-q", "--attempt", attempt, id]);
    expect(files.stdout).toBe(`made-${attempt}\nof-${attempt}\n`);
    const pulled = await world.nx(["pull", "-q", "--attempt", attempt, id]);
    expect(readFileSync(`${world.home}/${pulled.stdout.trim()}/made-${attempt}`, "utf8")).toBe("here\n");
  }
  expect((await world.nx(["files", "-q", id])).stdout).toBe("made-2\nof-2\n");
  expect((await world.nx(["files", "--attempt", "3", id])).exitCode).toBe(5);
  const unknown = await world.nx(["logs", "--attempt", "3", id]);
  expect([unknown.exitCode, unknown.stderr]).toEqual([5, expect.stringContaining("has 2 attempts")]);
};

describe("a job with retries", () => {
  test("runs again after 10 s, with files of its own each time, and ends as its last attempt does", async () => {
    await world.startServer();
    const command = `echo attempt $NEXUS_ATTEMPT; touch "$NEXUS_OUTPUT_DIR/of-$NEXUS_ATTEMPT"; echo here > made-$NEXUS_ATTEMPT; exit $((3 * (2 - NEXUS_ATTEMPT)))`;
    const id = await submit(["--retry", "2"], command);
    const waiting = await waitForRetry(id);
    expect(waiting).toMatchObject({ started_at: null, exit_code: null, completed_at: null });
    expect(waiting.attempts).toEqual([
      expect.objectContaining({ exit_code: 3, reason: "Job failed with exit code 3" }),
    ]);
    const why = await world.nx(["why", id]);
    expect(why.stdout).toContain("attempt 2 of 3 in 10 s: Job failed with exit code 3");
    const job = await world.waitFor(id);
    expect(job).toMatchObject({ status: "completed", exit_code: 0, retry: { count: 2 } });
    expect(job.attempts.map(({ exit_code }) => exit_code)).toEqual([3, 0]);
    const [first, second] = job.attempts;
    expect((second?.started_at ?? 0) - (first?.ended_at ?? 0)).toBeGreaterThanOrEqual(10);
    const dir = folderOf(id);
    for (const [number, folder] of [
      [1, `${dir}/attempts/1`],
      [2, `${dir}/attempts/2`],
      [2, dir],
    ] as const) {
      expect(readFileSync(`${folder}/output.log`, "utf8")).toContain(`attempt ${number}`);
      expect(readFileSync(`${folder}/exit_code`, "utf8").trim()).toBe(number === 1 ? "3" : "0");
      await waitUntil(() => existsSync(`${folder}/outputs/made-${number}`), "what it made is kept");
      expect(existsSync(`${folder}/outputs/of-${number}`)).toBe(true);
    }
    expect(existsSync(`${dir}/attempts/1/repo`)).toBe(false);
    expect(lstatSync(`${dir}/attempts/1`).isDirectory()).toBe(true);
    await expectReads(id);
  });

  test("is followed, waited for and run to its last end", async () => {
    await world.startServer();
    const run = world.nx(["run", "-c", "--no-git", "--retry", "1", "echo attempt $NEXUS_ATTEMPT; exit 4"]);
    let id = "";
    await waitUntil(async () => {
      const queued = (await (await fetch(`${world.url}/v1/jobs?status=queued`)).json()) as readonly WireJob[];
      id = queued.find(({ attempts }) => attempts?.length === 1)?.id ?? "";
      return id !== "";
    }, "it waits for its second attempt");
    const stream = fetch(`${world.url}/v1/jobs/${id}/logs/stream`).then((answer) => answer.text());
    const [ended, waited] = await Promise.all([run, world.nx(["wait", id])]);
    expect([ended.exitCode, waited.exitCode]).toEqual([4, 4]);
    for (const text of [ended.stdout, await stream]) expect(text).toMatch(/attempt 1\s[\s\S]*attempt 2\s/);
    expect(ended.stderr).toContain("attempt 2 of 2 follows");
    expect((await world.job(id)).attempts).toHaveLength(2);
  });

  test("is tried again when its limit ended it only where that is one of the causes", async () => {
    await world.startServer();
    const [usual, asked] = [
      await submit(["--time", "1s", "--retry", "1"], "sleep 60"),
      await submit(["--time", "1s", "--retry", "1:time"], "sleep 60"),
    ];
    expect(await world.waitFor(usual)).toMatchObject({ status: "failed", error_message: "Time limit of 1 s reached" });
    expect((await waitForRetry(asked)).attempts[0]?.reason).toBe("Time limit of 1 s reached");
    expect((await fetch(`${world.url}/v1/jobs/${asked}`, { method: "DELETE" })).status).toBe(204);
  });

  test("is not tried again after it was killed, and removed between two attempts it is killed with all it has", async () => {
    await world.startServer();
    const killed = await submit(["--retry", "3"], "sleep 60");
    await world.waitFor(killed, ["running"]);
    await world.nx(["kill", "-y", killed]);
    expect(await world.waitFor(killed)).toMatchObject({ status: "killed", attempts: [{ exit_code: null }] });
    const removed = await submit(["--retry", "3"], "echo once; touch made; exit 9");
    await waitForRetry(removed);
    expect((await world.nx(["remove", "-y", removed])).exitCode).toBe(0);
    const job = await world.waitFor(removed);
    expect(job).toMatchObject({ status: "killed", attempts: [{ exit_code: 9 }] });
    expect((await world.nx(["logs", removed])).stdout).toContain("once");
    await waitUntil(() => existsSync(`${folderOf(removed)}/outputs/made`), "what it made is kept");
  });

  test("whose server is killed at any moment runs each attempt once", async () => {
    let server = await world.startServer();
    const id = await submit(["--retry", "2"], `echo $NEXUS_ATTEMPT >> ${place("ran")}; exit 1`);
    for (const attempt of [1, 2]) {
      await waitForRetry(id);
      await waitForAttempts(id, attempt);
      await bringForward(server, id);
      server = await world.startServer();
    }
    const job = await world.waitFor(id);
    expect(readFileSync(place("ran"), "utf8")).toBe("1\n2\n3\n");
    expect(job.attempts.map(({ exit_code }) => exit_code)).toEqual([1, 1, 1]);
    for (const attempt of [1, 2, 3])
      expect(readFileSync(`${folderOf(id)}/attempts/${attempt}/exit_code`, "utf8").trim()).toBe("1");
  });

  test("that the machine lost is tried again, and its processes are gone before", async () => {
    const server = await world.startServer();
    const id = await submit(
      ["--retry", "1:machine"],
      `echo $NEXUS_ATTEMPT > ${place("began")}; [ $NEXUS_ATTEMPT = 2 ] || sleep 60`,
    );
    await waitUntil(() => existsSync(place("began")), "it runs");
    const { pid } = await world.job(id);
    await stopChild(server, "SIGKILL");
    for (const one of [pid ?? 0, ...listProcessesWith(`NEXUS_JOB_ID=${id}`)]) killProcess(one);
    await waitUntil(() => listProcessesWith(`NEXUS_JOB_ID=${id}`).length === 0, "all of it is gone");
    const next = await world.startServer();
    expect((await waitForRetry(id)).attempts[0]?.reason).toContain("Lost: ");
    await bringForward(next, id);
    await world.startServer();
    expect(await world.waitFor(id)).toMatchObject({ status: "completed", exit_code: 0 });
    writeFileSync(place("done"), "");
  });
});

test.each(["x", "101", "2:", "2:time,disk", "-1"])(
  "a retry of %p is wrong usage that says what is right",
  async (text) => {
    const added = await world.nx(["add", "-c", "--no-git", `--retry=${text}`, "true"]);
    expect([added.exitCode, added.stderr]).toEqual([2, expect.stringContaining("time, machine, gpu, oom, nccl, exit")]);
  },
);
