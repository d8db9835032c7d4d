import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { type Finished, runProgram, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const EARLIER = "nexusai==0.5.20";
const NEEDED_BY_ITS_CLIENT = [
  "requests",
  "termcolor",
  "toml",
  "base58",
  "python-dotenv",
  "argcomplete",
  "pydantic-settings",
];
const INSTALL_LIMIT_MS = 120_000;
const SCRIPT = join(import.meta.dirname, "earlier_client.py");

type Answer = Readonly<{ value?: unknown; refused?: number; body?: unknown }>;
type Fields = Readonly<Record<string, unknown>>;

let libraries: string;
let python: string;
let world: World;
let client: ChildProcess;
let answers: AsyncIterator<string>;

const runPython = async (words: readonly string[]): Promise<Finished> => {
  const finished = await runProgram(["python3", ...words], { env: process.env, cwd: libraries });
  if (finished.exitCode === 0) return finished;
  throw new Error(`the earlier client can't be installed: python3 ${words.join(" ")}\n${finished.stderr}`);
};

const install = (folder: string, ...words: readonly string[]): Promise<Finished> =>
  runPython(["-m", "pip", "install", "-q", "--target", join(libraries, folder), ...words]);

beforeAll(async () => {
  libraries = mkdtempSync(join(tmpdir(), "nexus-earlier-"));
  python = (await runPython(["-c", "import sys; print(sys.executable)"])).stdout.trim();
  await Promise.all([install("client", "--no-deps", EARLIER), install("needed", ...NEEDED_BY_ITS_CLIENT)]);
}, INSTALL_LIMIT_MS);

afterAll(() => rmSync(libraries, { recursive: true, force: true }));

const environment = (): NodeJS.ProcessEnv => ({
  ...world.env,
  PYTHONPATH: [join(libraries, "client"), join(libraries, "needed")].join(delimiter),
  PYTHONDONTWRITEBYTECODE: "1",
});

const writeConfig = (): void => {
  const folder = join(world.home, ".nexus");
  mkdirSync(folder);
  writeFileSync(join(folder, ".completion_installed"), "");
  const target = `[targets.main]\nhost = "127.0.0.1"\nport = ${world.env["NS_PORT"]}\nprotocol = "http"\n`;
  writeFileSync(join(folder, "config.toml"), `default_target = "main"\nuser = "tester"\n${target}`);
};

const startClient = (): void => {
  const child = spawn(python, [SCRIPT], { env: environment(), cwd: world.home, stdio: ["pipe", "pipe", "ignore"] });
  client = child;
  answers = createInterface(child.stdout)[Symbol.asyncIterator]();
};

const call = async (name: string, ...words: readonly unknown[]): Promise<Answer> => {
  client.stdin?.write(`${JSON.stringify([name, words])}\n`);
  const line = await answers.next();
  return JSON.parse(String(line.value)) as Answer;
};

const ask = async <Value = Fields>(name: string, ...words: readonly unknown[]): Promise<Value> => {
  const answer = await call(name, ...words);
  if (answer.refused !== undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  return answer.value as Value;
};

let described = 0;

const describeJob = (fields: Fields): Fields => ({
  job_id: `earlier-${++described}`,
  user: "tester",
  artifact_id: null,
  git_repo_url: "unknown-url",
  git_branch: "main",
  git_tag: null,
  num_gpus: 1,
  priority: 0,
  integrations: [],
  notifications: [],
  env: {},
  jobrc: null,
  gpu_idxs: null,
  run_immediately: false,
  ignore_blacklist: false,
  git_tag_pushed: false,
  ...fields,
});

const submit = async (fields: Fields): Promise<string> => String((await ask("add_job", describeJob(fields)))["id"]);

beforeEach(async () => {
  world = await createWorld();
  writeConfig();
  await world.startServer();
  startClient();
});

afterEach(async () => {
  await stopChild(client, "SIGTERM");
  await world.dispose();
});

describe("the client of Nexus 0.5", () => {
  test("reads the server, its GPUs and its health", async () => {
    expect(await ask<boolean>("check_api_connection")).toBe(true);
    expect(await ask<boolean>("check_heartbeat")).toBe(true);
    expect(await ask("get_server_status")).toMatchObject({
      gpu_count: 2,
      queued_jobs: 0,
      running_jobs: 0,
      completed_jobs: 0,
      server_user: expect.any(String),
      server_version: expect.any(String),
      node_name: expect.any(String),
    });
    expect(await ask<readonly Fields[]>("get_gpus")).toMatchObject(
      [0, 1].map((index) => ({ index, process_count: 0, is_blacklisted: false, running_job_id: null })),
    );
    for (const refresh of [false, true]) {
      expect(await ask("get_detailed_health", refresh)).toMatchObject({
        alive: true,
        status: expect.stringMatching(/^(healthy|under_load|unhealthy)$/),
        score: expect.any(Number),
        disk: { percent_used: expect.any(Number) },
        system: { uptime: expect.any(Number), load_avg: [expect.any(Number), expect.any(Number), expect.any(Number)] },
      });
    }
  });

  test("uploads code once, and its job runs in it with its environment and start-up commands", async () => {
    const code = join(world.folder, "code");
    mkdirSync(code);
    writeFileSync(join(code, "greet.sh"), 'echo "$GREETING $(whom)"; exit 7\n');
    const archive = join(world.folder, "code.tar");
    await runProgram(["tar", "-cf", archive, "-C", code, "greet.sh"], { env: world.env, cwd: world.home });
    const sha = "0123456789abcdef0123456789abcdef01234567";
    expect(await ask<unknown>("check_artifact_by_sha", sha)).toEqual([false, null]);
    const artifact = await ask<string>("upload_artifact", { file: archive }, sha);
    expect(await ask<unknown>("check_artifact_by_sha", sha)).toEqual([true, artifact]);
    const request = describeJob({
      command: "bash greet.sh",
      artifact_id: artifact,
      env: { GREETING: "hello" },
      jobrc: "whom() { echo world; }; export -f whom",
      run_immediately: true,
    });
    const job = await ask("add_job", request);
    expect(job).toMatchObject({ id: request["job_id"], command: "bash greet.sh", num_gpus: 1, user: "tester" });
    const id = String(job["id"]);
    await world.waitFor(id);
    expect(await ask("get_job", id)).toMatchObject({ status: "failed", exit_code: 7, pid: expect.any(Number) });
    const log = await ask<string>("get_job_logs", id);
    expect(log).toContain("\nhello world\n");
    expect(log).toContain('COMMAND_EXIT_CODE="7"');
    expect(await ask<string>("get_job_logs", id, 1)).toContain('COMMAND_EXIT_CODE="7"');
    expect((await ask<readonly Fields[]>("get_jobs", "failed")).map((ended) => ended["id"])).toEqual([id]);
  });

  test("kills running jobs, edits and removes queued ones", async () => {
    const running = await submit({ command: "sleep 60", gpu_idxs: [0, 1], num_gpus: 2 });
    const queued = await submit({ command: "true", env: { SECRET: "planted" } });
    expect(await ask("get_job", queued)).toMatchObject({ env: { SECRET: "********" } });
    await world.waitFor(running, ["running"]);
    await waitUntil(async () => (await world.job(running)).pid !== null, "it has a pid");
    expect(await ask("edit_job", queued, "false", 5, 2, "tag")).toMatchObject({
      command: "false",
      priority: 5,
      num_gpus: 2,
      git_tag: "tag",
    });
    expect((await ask<readonly Fields[]>("get_jobs", "queued")).map((job) => job["id"])).toEqual([queued]);
    expect(await ask("remove_queued_jobs", [queued, running])).toMatchObject({
      removed: [queued],
      failed: [{ id: running, error: expect.stringContaining("400") }],
    });
    expect((await ask<readonly Fields[]>("get_gpus")).map((gpu) => gpu["running_job_id"])).toEqual([running, running]);
    expect(await ask("kill_running_jobs", [running, "nothere"])).toMatchObject({
      killed: [running],
      failed: [{ id: "nothere", error: expect.stringContaining("404") }],
    });
    expect((await world.waitFor(running)).status).toBe("killed");
    expect(await call("get_job", queued)).toMatchObject({ refused: 404, body: { error: "JOB_NOT_FOUND" } });
  });

  test("changes the blacklist, and is told in its own words what it may not do", async () => {
    expect(await ask("manage_blacklist", [0, 9], "add")).toMatchObject({ blacklisted: [0], failed: [{ index: 9 }] });
    expect((await ask<readonly Fields[]>("get_gpus")).map((gpu) => gpu["is_blacklisted"])).toEqual([true, false]);
    const now = { command: "true", run_immediately: true };
    expect(await call("add_job", describeJob({ ...now, gpu_idxs: [0] }))).toMatchObject({
      refused: 500,
      body: { error: "GPU_ERROR", message: expect.any(String), status_code: 500 },
    });
    const forced = await submit({ ...now, gpu_idxs: [0], ignore_blacklist: true });
    expect(await world.waitFor(forced)).toMatchObject({ status: "completed", gpu_idxs: [0] });
    expect(await ask("manage_blacklist", [0], "remove")).toMatchObject({ removed: [0], failed: [] });
    const unpaired = await call("add_job", describeJob({ command: "true", notifications: ["discord"] }));
    expect(unpaired).toMatchObject({ refused: 422, body: { detail: [{ msg: expect.stringContaining("DISCORD") }] } });
  });

  test("works as a program: add, queue, logs, history, kill", async () => {
    const project = join(world.folder, "project");
    mkdirSync(project);
    writeFileSync(join(project, "main.sh"), "echo here; exit 3\n");
    for (const words of [
      ["init", "-q"],
      ["add", "-A"],
      ["commit", "-q", "-m", "one"],
    ])
      await world.git(words, project);
    const earlier = async (...words: readonly string[]): Promise<string> => {
      const main = "from nexus.cli import main; main()";
      const finished = await runProgram([python, "-c", main, ...words], { env: environment(), cwd: project });
      expect([finished.exitCode, finished.stderr]).toEqual([0, ""]);
      return finished.stdout;
    };
    const added = await earlier("add", "-y", "bash", "main.sh");
    const id = /Job (\S+): bash main.sh/.exec(added)?.[1] ?? "";
    expect((await world.waitFor(id)).exit_code).toBe(3);
    expect(await earlier("logs", id)).toContain("\nhere\n");
    expect(await earlier("history")).toContain(`${id} [✗ FAILED] bash main.sh`);
    expect(await earlier("get", id)).toContain("Exit Code: 3");
    await earlier("add", "-y", "-g", "2", "-r", "2", "sleep", "60");
    expect(await earlier("queue")).toContain("1. ");
    expect(await earlier("remove", "-y", "sleep")).toContain("Successfully removed");
    expect(await earlier("kill", "-y", "0")).toContain("Successfully killed");
    expect(await earlier()).toContain("History: ");
  });
});
