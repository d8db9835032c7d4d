import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createForgetfulProxy } from "../../support/forgetful-proxy.ts";
import { NX, runProgram } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const BAR = String.raw`for i in 10 50 100; do printf '\r%3d%%|##' $i; done; echo; printf '\033[31mloss nan\033[0m\n'; echo end`;
const SHOWN = "100%|##\n\u001b[31mloss nan\u001b[0m\nend\n";

const BARS = String.raw`printf 'a  0%%\nb  0%%'; for i in 1 2 3 4; do printf '\r\033[2K\033[1A\033[2Ka 5%s%%\nb 7%s%%' $i $i; done; echo; echo end`;
const BARS_SHOWN = "a 54%\nb 74%\nend\n";

const pathOf = (id: string, name: string): string => join(world.folder, "server", "jobs", id, name);

const readEnd = async (...words: readonly string[]): Promise<string> => (await world.nx(["logs", ...words])).stdout;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  await world.submit({ job_id: "bar-1", command: BAR, num_gpus: 0 });
  await world.waitFor("bar-1");
  await world.submit({ job_id: "bars-1", command: BARS, num_gpus: 0 });
  await world.waitFor("bars-1");
});

afterAll(() => world.dispose());

describe("a progress bar that was drawn anew", () => {
  test("is one line, its last state, in nx logs, with -n, in --json and when followed", async () => {
    expect(await readEnd("bar-1")).toEndWith(SHOWN);
    expect(await readEnd("-n", "3", "bar-1")).toBe(SHOWN);
    expect(JSON.parse(await readEnd("-n", "3", "--json", "bar-1"))).toEqual({ data: SHOWN });
    expect(await readEnd("-F", "bar-1")).toEndWith(SHOWN);
    expect(
      (await readEnd("-F", "--json", "bar-1"))
        .trimEnd()
        .split("\n")
        .slice(-3)
        .map((line) => JSON.parse(line)),
    ).toEqual(
      SHOWN.trimEnd()
        .split("\n")
        .map((line) => ({ line })),
    );
  });

  test("is all its bytes with --raw, with the recorder's lines", async () => {
    const bytes = readFileSync(pathOf("bar-1", "output.log"), "latin1");
    expect(bytes).toContain("\r 10%|##\r 50%|##\r100%|##\r\n");
    expect(await readEnd("--raw", "bar-1")).toBe(bytes);
    expect(await readEnd("-F", "--raw", "bar-1")).toBe(bytes);
  });
});

test("of several progress bars each is one line, its last state, and one of those that -n counts", async () => {
  expect(await readEnd("bars-1")).toEndWith(`\n${BARS_SHOWN}`);
  expect(await readEnd("-n", "2", "bars-1")).toBe("b 74%\nend\n");
  expect(await readEnd("-n", "3", "bars-1")).toBe(BARS_SHOWN);
  expect(JSON.parse(await readEnd("--json", "-n", "3", "bars-1"))).toEqual({ data: BARS_SHOWN });
  expect(await readEnd("--search", "^b", "bars-1")).toBe("b 74%\n");
  expect(await readEnd("--raw", "bars-1")).toContain("\u001b[1A\u001b[2Ka 54%\r\nb 74%\r\nend");
});

test("neither --json nor format=text has the recorder's lines or CR before LF; the plain answer has those lines, with LF", async () => {
  const { data } = JSON.parse(await readEnd("--json", "bar-1")) as { data: string };
  expect(data).not.toMatch(/Script (started|done)|\r/);
  const text = await fetch(`${world.url}/v1/jobs/bar-1/logs?format=text`);
  expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await text.text()).toBe(data);
  expect(await (await fetch(`${world.url}/v1/jobs/bar-1/logs?format=text&last_n_lines=2`)).text()).toBe(
    SHOWN.split("\n").slice(1).join("\n"),
  );
  const plain = (await (await fetch(`${world.url}/v1/jobs/bar-1/logs`)).json()) as { data: string };
  expect(plain.data).toMatch(/^Script started on [^\r\n]*\n[\s\S]*end\n\nScript done on [^\r\n]*\n$/);
  expect(plain.data).not.toContain("\r\n");
  expect(plain.data).toContain("\r 10%|##\r 50%|##\r100%|##\n");
});

test("nx logs --search shows the lines that match, whatever their colour, the last of them with -n", async () => {
  expect(await readEnd("--search", "^loss nan$", "bar-1")).toBe("\u001b[31mloss nan\u001b[0m\n");
  expect(await readEnd("--search", "nan|end", "-n", "1", "bar-1")).toBe("end\n");
  expect(JSON.parse(await readEnd("--search", "(?i)^END$", "--json", "bar-1")).data).toBe("end\n");
  expect(await readEnd("-F", "--search", "^e", "bar-1")).toBe("end\n");
  expect(await readEnd("-F", "--json", "--search", "^e", "bar-1")).toBe('{"line":"end"}\n');
  expect(await world.nx(["logs", "--search", "nothing like it", "bar-1"])).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: "No line matches.\n",
  });
});

test("nx logs -F --json ends with the job's exit code and one document that says so, whatever code that is", async () => {
  for (const code of [1, 2, 3, 5]) {
    const job_id = `fail-${code}`;
    await world.submit({ job_id, command: `exit ${code}`, num_gpus: 0 });
    const { exitCode, stderr } = await world.nx(["logs", "-F", "--json", job_id]);
    const message = `Job ${job_id} failed with exit code ${code}`;
    const hint = `see its output with: nx logs ${job_id}`;
    expect([exitCode, JSON.parse(stderr)]).toEqual([code, { error: "JOB_FAILED", message, hint, exit_code: code }]);
  }
});

test("no regular expression hangs nx logs", async () => {
  await world.submit({
    job_id: "long-1",
    command: "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo xxxxxxxx",
    num_gpus: 0,
  });
  await world.waitFor("long-1");
  for (const search of ["(x+x+)+y", "(x*)*(x*)*$y", "(?:x{0,50}){0,15}y", "^(x|xx)+y"])
    expect((await world.nx(["logs", "--search", search, "long-1"])).stderr).toBe("No line matches.\n");
});

test.each([
  [["--search", "("], /^nx: --search takes a regular expression: [^\n]+\n/],
  [["--search", "(?=a)"], /^nx: --search takes a regular expression: [^\n]+\n/],
  [["--search", "a".repeat(1001)], /^nx: --search takes a regular expression of up to 1000 characters\n/],
  [["--since", "soon"], /^nx: --since takes a time such as [^\n]+, not "soon"\n/],
  [["--raw", "--json"], /^\{"error":"WRONG_USAGE","message":"--raw and --json can't be used together",/],
  [["-F", "-n", "3", "--search", "a"], /^nx: --follow, --search and --lines can't be used together\n/],
  [["--error", "--since", "1h"], /^nx: --error and --since can't be used together\n/],
])("wrong usage of nx logs (%#) is told in one line, also where no server is", async (words, told) => {
  const env = { ...world.env, NS_PORT: "1", NS_SERVER_DIR: "/nowhere" };
  const { exitCode, stdout, stderr } = await runProgram([NX, "logs", "--no-autostart", ...words], {
    env,
    cwd: world.home,
  });
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(told);
});

const toTime = (seconds: number): string => new Date(Math.ceil(seconds) * 1000).toISOString().replace(".000Z", "Z");

test("nx logs --since shows what was written since then, in whole lines", async () => {
  const go = join(world.home, "go");
  const command = `echo early; printf half; while [ ! -e ${go} ]; do sleep 0.1; done; echo ' a line'; echo late; sleep 300`;
  const { id } = await world.submit({ command, num_gpus: 0 });
  await world.waitFor(id, ["running"]);
  await waitUntil(
    () => (statSync(pathOf(id, "log_times"), { throwIfNoEntry: false })?.size ?? 0) > 0,
    "the time of the log is noted",
  );
  const noted = Number(readFileSync(pathOf(id, "log_times"), "utf8").slice(0, 10));
  const time = toTime(noted + 2);
  await waitUntil(() => Date.now() / 1000 > noted + 2, "two seconds have passed");
  expect(await world.nx(["logs", "--since", time, id])).toMatchObject({
    stdout: "",
    stderr: "Nothing was written since then.\n",
  });
  writeFileSync(go, "");
  await waitUntil(async () => /^late$/m.test(await readEnd(id)), "it has gone on");
  expect(await readEnd("--since", time, id)).toBe("half a line\nlate\n");
  expect(await readEnd("--since", time, "-n", "1", id)).toBe("late\n");
  expect(await readEnd("--since", "1h", id)).toContain("early\nhalf a line\nlate\n");
  const proxy = await createForgetfulProxy(world, ["since"]);
  expect(await proxy.nx(["logs", "--since", time, id])).toMatchObject({ exitCode: 1, stdout: "" });
  await proxy.stop();
  await world.post(`/v1/jobs/${id}/kill`, {});
  await world.waitFor(id);
  expect(await readEnd("-F", "--since", time, id)).toMatch(/^half a line\nlate\n(?:Terminated\n)?$/);
  const until = toTime(Date.now() / 1000 + 60);
  expect((await world.nx(["logs", "--since", until, id])).stderr).toContain("Nothing was written since then.");
}, 60_000);

test("a server of an earlier version that knows no --raw is told", async () => {
  const proxy = await createForgetfulProxy(world, ["format"]);
  try {
    const { exitCode, stdout, stderr } = await proxy.nx(["logs", "--raw", "bar-1"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^nx: the server is of an earlier version and knows no --raw/);
  } finally {
    await proxy.stop();
  }
});
