import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Usage } from "../../../src/wire/usage/usage.ts";
import { readFigure } from "../../support/parse-exposition.ts";
import { NX } from "../../support/programs.ts";
import { openTmux } from "../../support/tmux-terminal.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  const jobs = [
    await world.submit({ command: "exit 3", user: "=SUM(A1)", num_gpus: 0, name: "base" }),
    await world.submit({ command: "true", user: "ann", num_gpus: 1 }),
    await world.submit({ command: "true", user: "ann", num_gpus: 0, name: "base" }),
  ];
  for (const { id } of jobs) await world.waitFor(id);
});

afterAll(() => world.dispose());

const splitRow = (line: string): readonly string[] => line.split(/ {2,}/);

test("nx usage has a line for each user, or what else it is told by", async () => {
  const [header = "", ...rows] = (await world.nx(["usage"])).stdout.trim().split("\n");
  expect(splitRow(header)).toEqual(["GPU HOURS", "JOBS", "FAILED", "MEAN WAIT", "IDLE", "USER"]);
  expect(rows.map((row) => splitRow(row)).map(([, jobs, failed, , , user]) => [user, jobs, failed])).toEqual([
    ["ann", "2", "0"],
    ["=SUM(A1)", "1", "1"],
  ]);
  const byName = (await world.nx(["usage", "--by", "name", "-u", "ann", "--since", "1h"])).stdout.trim().split("\n");
  expect(byName.slice(1).map((row) => splitRow(row).at(-1))).toEqual(["-", "base"]);
});

test("as CSV it has a header line, points in numbers, and nothing that a spreadsheet takes for a formula", async () => {
  const { stdout } = await world.nx(["usage", "--csv"]);
  const lines = stdout.split("\r\n");
  expect([lines[0], lines.at(-1)]).toEqual(["user,gpu_hours,jobs,failed,mean_wait_s,idle_share", ""]);
  expect(lines[1]).toMatch(/^ann,\d+(\.\d+)?,2,0,\d+(\.\d+)?,(\d+(\.\d+)?)?$/);
  expect(lines[2]).toMatch(/^'=SUM\(A1\),0,1,1,/);
});

test("as JSON it is what the server tells, with --fields only the rows", async () => {
  const usage = JSON.parse((await world.nx(["usage", "--by", "gpu", "--json"])).stdout) as Usage;
  expect([usage.by, usage.groups.map(({ jobs }) => jobs), usage.left_out]).toEqual(["gpu", [1], 0]);
  const rows = await world.nx(["usage", "--fields", "key,jobs", "--jsonl"]);
  expect(rows.stdout).toBe('{"key":"ann","jobs":2}\n{"key":"=SUM(A1)","jobs":1}\n');
});

test.each([
  [["--by", "colour"], '--by takes one of user, name, batch, gpu, not "colour"'],
  [["--since", "soon"], "--since takes a time"],
  [["--csv", "--json"], "give --csv or JSON, not both"],
  [["--estimates", "--by", "name"], "--estimates does not go with --by"],
  [["--estimates", "--fields", "key"], "--estimates does not go with --fields"],
])("nx usage %j is exit code 2, and says why", async (words, said) => {
  const { exitCode, stdout, stderr } = await world.nx(["usage", ...words]);
  expect([exitCode, stderr.includes(said) || stdout.includes(said)]).toEqual([2, true]);
});

test("/metrics has what each user's jobs used, and how long they waited", async () => {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  const read = (name: string, user: string) => readFigure(text, `nexus_user_${name}_total`, { user });
  expect(read("gpu_seconds", "ann")).toBeGreaterThan(0);
  expect(read("gpu_seconds", "=SUM(A1)")).toBeUndefined();
  expect([read("jobs_started", "ann"), read("jobs_started", "=SUM(A1)")]).toEqual([2, 1]);
  expect(read("queue_wait_seconds", "ann")).toBeGreaterThanOrEqual(0);
});

test("on a terminal nothing in CSV controls it, in a file names stay as they are", async () => {
  const { id } = await world.submit({ command: "true", user: "eve\u001b[2Jx", num_gpus: 0 });
  await world.waitFor(id);
  expect((await world.nx(["usage", "--csv"])).stdout).toContain("\r\neve\u001b[2Jx,0,1,");
  const terminal = await openTmux({ env: world.env, cwd: world.home });
  try {
    terminal.type(`'${NX}' usage --csv`);
    terminal.press("Enter");
    expect(await terminal.waitFor("eve\\x1b[2Jx,0,1,")).toContain("user,gpu_hours");
  } finally {
    terminal.close();
  }
});

test("nx add says when a job starts about, and nx usage --estimates that it did", async () => {
  expect((await world.nx(["usage", "--estimates"])).stderr).toContain("No job that had an estimate started");
  const { id } = await world.submit({ command: "sleep 300", num_gpus: 2, time_limit_s: 3600 });
  await world.waitFor(id, ["running"]);
  const { stdout, stderr } = await world.nx(["add", "--no-git", "--time", "1h", "--name", "next", "true"]);
  expect([stdout, stderr]).toEqual([
    expect.stringContaining(" is queued"),
    expect.stringMatching(/If no other comes, it starts about \S+ \S+ \S+ to \S+ \S+ \S+\.\n/),
  ]);
  const quiet = await world.nx(["add", "--no-git", "--time", "1h", "-q", "-r", "2", "-y", "true"]);
  expect([quiet.exitCode, quiet.stderr]).toEqual([0, ""]);
  expect((await world.nx(["add", "--no-git", "--time", "1h", "-r", "2", "-y", "true"])).stderr).toContain(
    "they start about",
  );
  const waiting = (await world.nx(["queue", "--fields", "id", "--jsonl"])).stdout.trim().split("\n");
  await world.post(`/v1/jobs/${id}/kill`, {});
  for (const line of waiting) await world.waitFor((JSON.parse(line) as { id: string }).id);
  const [header = "", row = ""] = (await world.nx(["usage", "--estimates"])).stdout.trim().split("\n");
  expect([splitRow(header), splitRow(row)]).toEqual([
    ["JOBS", "WITHIN", "BEFORE", "AFTER", "HELD"],
    ["5", "5", "0", "0", "100 %"].map((text) => expect.stringContaining(text)),
  ]);
  const held = await world.nx(["usage", "--estimates", "--since", "1h", "--json"]);
  expect(JSON.parse(held.stdout)).toMatchObject({ jobs: 5, within: 5, held_share: 1 });
});
