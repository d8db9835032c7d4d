import { afterAll, beforeAll, expect, test } from "bun:test";
import { createForgetfulProxy } from "../../support/forgetful-proxy.ts";
import { NX, runProgram } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const JOBS = [
  { job_id: "good-1", command: "echo one", num_gpus: 0 },
  { job_id: "fail-3", command: "exit 3", num_gpus: 0 },
  { job_id: "fail-4", command: "exit 4", num_gpus: 0 },
  { job_id: "good-2", command: "echo two", num_gpus: 1, gpu_idxs: [1] },
];

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  for (const job of JOBS) {
    await world.submit(job);
    await world.waitFor(job.job_id);
  }
});

afterAll(() => world.dispose());

const listIds = async (...words: readonly string[]): Promise<readonly string[]> => {
  const { exitCode, stdout } = await world.nx(["history", "-q", ...words]);
  expect(exitCode).toBe(0);
  return stdout.split("\n").filter((id) => id !== "");
};

test("nx history is narrowed by failure, exit code, GPU and time", async () => {
  expect(await listIds()).toEqual(["good-1", "fail-3", "fail-4", "good-2"]);
  expect(await listIds("--failed")).toEqual(["fail-3", "fail-4"]);
  expect(await listIds("--exit", "4")).toEqual(["fail-4"]);
  expect(await listIds("--exit", "0")).toEqual(["good-1", "good-2"]);
  expect(await listIds("--gpu", "1")).toEqual(["good-2"]);
  expect(await listIds("--since", "1h")).toHaveLength(4);
  expect(await listIds("--until", "1h")).toEqual([]);
  expect(await listIds("--since", "2001-01-01", "--until", "now", "--failed", "exit 3")).toEqual(["fail-3"]);
});

test("nx history begins at the very moment at which a job ended", async () => {
  const { completed_at: endedAt } = await world.job("fail-4");
  const moment = new Date(Math.floor(endedAt ?? 0) * 1000).toISOString().replace(".000Z", "Z");
  expect(await listIds("--since", moment)).toContain("fail-4");
  const before = new Date(Math.floor((endedAt ?? 0) - 1) * 1000).toISOString().replace(".000Z", "Z");
  expect(await listIds("--until", before)).not.toContain("fail-4");
});

test("nx history says when more was cut off, and how to see it", async () => {
  const cut = await world.nx(["history", "-n", "2", "-q"]);
  expect(cut).toMatchObject({
    exitCode: 0,
    stdout: "fail-4\ngood-2\n",
    stderr: "The last 2 are shown; more with: nx history --all\n",
  });
  expect((await world.nx(["history", "-n", "4", "-q"])).stderr).toBe("");
  expect((await world.nx(["history", "-n", "1", "--json"])).stderr).toContain("The last is shown");
});

test("nx history shows local time with its zone, to the second within the last hour", async () => {
  const env = { ...world.env, TZ: "Asia/Kolkata" };
  const { stdout } = await runProgram([NX, "history"], { env, cwd: world.home });
  const [head = "", first = ""] = stdout.split("\n");
  expect(head).toContain("ENDED (UTC+5:30)");
  const { completed_at: endedAt } = await world.job("good-1");
  const time = new Date(((endedAt ?? 0) + 5.5 * 3600) * 1000).toISOString().slice(11, 19);
  expect(first).toContain(`  ${time}  `);
});

test.each([
  [["--since", "soon"], /^nx: --since takes a time such as [^\n]+, not "soon"\n/],
  [["--until", "2026-02-30"], /^nx: --until takes a time such as [^\n]+, not "2026-02-30"\n/],
  [["--since", "1h", "--until", "2h"], /^nx: --since is later than --until[^\n]*\n/],
  [["--exit", "x"], /^nx: --exit takes a whole number from 0 to 255, not "x"\n/],
  [["--gpu", "-1"], /^nx: --gpu takes a whole number/],
])("nx history %j is wrong usage, told in one line", async (words, told) => {
  const { exitCode, stdout, stderr } = await world.nx(["history", ...words]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(told);
});

test("a server that knows no such filters gives the same answer, however few are asked for", async () => {
  const proxy = await createForgetfulProxy(world, ["ended_since", "ended_until", "exit_code"]);
  try {
    expect(await proxy.nx(["history", "-q", "--exit", "3", "-n", "1"])).toMatchObject({
      stdout: "fail-3\n",
      stderr: "",
    });
    expect((await proxy.nx(["history", "-q", "--until", "1h"])).stdout).toBe("");
  } finally {
    await proxy.stop();
  }
});
