import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { NX } from "../../support/programs.ts";
import { createTmux } from "../../support/tmux.ts";
import { createWorld, type World } from "../../support/world.ts";

const ENDED = 20_500;
const QUEUED = 10_200;

const COPY_ENDED = `
with recursive numbers(n) as (values (1) union all select n + 1 from numbers where n < ${ENDED - 1})
insert into jobs (id, status, priority, created_at, started_at, completed_at, user, artifact_id, num_gpus, command, gpu_idxs, details)
select printf('e%05d', n), status, priority, created_at + n, started_at + n, completed_at + n, user, artifact_id, num_gpus, command, gpu_idxs, details
from jobs, numbers where id = 'e00000'`;

let world: World;

const queue = async (count: number): Promise<void> => {
  const job = { command: "true", user: "ada", num_gpus: 2 };
  const response = await fetch(`${world.url}/v1/jobs/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Array.from({ length: count }, () => job)),
  });
  expect(response.status).toBe(201);
};

const runInStore = (sql: string): void => {
  const db = new Database(join(world.folder, "server", "jobs.db"));
  db.run("pragma busy_timeout = 5000");
  db.run(sql);
  db.close();
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MAX_QUEUED: "20000" });
  await world.submit({ job_id: "e00000", command: "true", num_gpus: 0 });
  await world.waitFor("e00000");
  const { id: holder } = await world.submit({ command: "sleep 300", num_gpus: 2 });
  await world.waitFor(holder, ["running"]);
  runInStore(COPY_ENDED);
  await queue(QUEUED - 5000);
  await queue(5000);
});

afterAll(async () => {
  runInStore("delete from jobs where status = 'queued'");
  await world.dispose();
});

const countLines = (text: string): number => text.trimEnd().split("\n").length;

test("nx history --all has every job of a history longer than a page, newest last", async () => {
  const { exitCode, stdout, stderr } = await world.nx(["history", "--all", "-q"]);
  const wanted = Array.from({ length: ENDED }, (_value, index) => `e${String(index).padStart(5, "0")}`);
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout.trimEnd().split("\n")).toEqual(wanted);
  expect(countLines((await world.nx(["history", "--all"])).stdout)).toBe(ENDED + 1);
});

test("nx queue --all has every job of a queue longer than a page, each with its reason in --json", async () => {
  expect(countLines((await world.nx(["queue", "--all"])).stdout)).toBe(QUEUED + 1);
  const jobs = JSON.parse((await world.nx(["queue", "--all", "--json"])).stdout) as readonly {
    id: string;
    why?: string;
  }[];
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(QUEUED);
  expect(jobs.filter(({ why }) => !why)).toEqual([]);
});

test("a list that is cut says so", async () => {
  const { stdout, stderr } = await world.nx(["queue", "-n", "10000", "-q"]);
  expect([countLines(stdout), stderr]).toEqual([10_000, "The first 10000 are shown; more with: nx queue --all\n"]);
});

test("nx remove finds what matches behind the first page", async () => {
  const { id } = await world.submit({ command: "the last one", num_gpus: 2, priority: -5 });
  expect((await world.nx(["remove", "-y", "-q", "^the last"])).stdout).toBe(`${id}\n`);
});

test("a search that is no regular expression is wrong usage, told in one line", async () => {
  const { exitCode, stdout, stderr } = await world.nx(["history", "train(", "--all"]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^nx: Not a regular expression: [^\n]+\n$/);
});

test("a table is as wide as the terminal", async () => {
  await world.submit({ command: `echo ${"x".repeat(200)}`, num_gpus: 2, priority: 5 });
  const tmux = createTmux(world, NX);
  try {
    const window = await tmux.openWindow();
    window.resize(100, 24);
    window.type("nx queue -n 1 2>/dev/null");
    window.press("Enter");
    await window.see(/echo x+…x+$/m);
    expect(/^.*echo x+…x+$/m.exec(window.read())?.[0]).toHaveLength(100);
  } finally {
    tmux.dispose();
  }
});
