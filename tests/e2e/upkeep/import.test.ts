import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "../../support/ability.ts";
import { changeEarlier, copyEarlier, installEarlier, runEarlier } from "../../support/earlier.ts";
import {
  type Finished,
  killProcess,
  listProcessesWith,
  NX,
  runProgram,
  SERVER,
  stopChild,
} from "../../support/programs.ts";
import { canInstall } from "../../support/python.ts";
import { createTmux } from "../../support/tmux.ts";
import { canMakeUsers, makeUser, removeUser } from "../../support/unix-users.ts";
import { letPass, waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const INSTALL_LIMIT_MS = 240_000;
const KILL_AFTER_MS = [200, 250, 300, 350, 400, 450];
const OTHER_DISK = "/dev/shm";

let world: World;
let folder: string;

beforeEach(async () => {
  world = await createWorld();
  folder = copyEarlier(join(world.folder, "earlier"));
});

afterEach(() => world.dispose());

const serve = (...words: readonly string[]): Promise<Finished> =>
  runProgram([...SERVER, ...words], { env: world.env, cwd: world.home });

const takeOver = async (): Promise<string> => {
  const done = await serve("import", folder);
  expect([done.exitCode, done.stderr]).toEqual([0, ""]);
  return done.stdout;
};

const jobFolder = (id: string): string => join(folder, "job-folders", `nexus-job-${id}-abcdefgh`);

const isOtherDisk = existsSync(OTHER_DISK) && statSync(OTHER_DISK).dev !== statSync(tmpdir()).dev;
const canCrossDisks = checkAbility(isOtherDisk, "a second disk at /dev/shm");

type Enter = (argv: readonly string[]) => readonly string[];

const COMMANDS = (dir: string, command: string): string => `#!/bin/bash
set -euo pipefail

echo "### PRESS CTRL+A, THEN D TO DISCONNECT FROM SCREEN SESSION ###"
echo ""
echo "Extracting repository..."
mkdir -p ${dir}/repo
cd '${dir}/repo'

echo "Running command..."
echo "$ ${command.replaceAll('"', '\\"')}"
${command}
`;

const RUN = (dir: string): string => `#!/bin/bash
set -euo pipefail
exec 2>"${dir}/error.log"

echo "Starting job execution..." >&2

if ! script -q -e -f -c "bash ${dir}/job_commands.sh" "${dir}/output.log"; then
    echo "Job script failed with exit code $?" >&2
    exit 1
fi

echo "Job completed successfully" >&2
`;

const KEEP_USER: Enter = (argv) => argv;

const startSession = async (id: string, dir: string, command: string, enter = KEEP_USER): Promise<void> => {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "job_commands.sh"), COMMANDS(dir, command));
  writeFileSync(join(dir, "run.sh"), RUN(dir));
  chmodSync(join(dir, "run.sh"), 0o755);
  const rc = join(dir, "x.screenrc");
  writeFileSync(rc, "defscrollback 10000\n");
  const env = { ...world.env, CUDA_VISIBLE_DEVICES: "0", NAME: id };
  const argv = enter(["screen", "-c", rc, "-dmS", `nexus_job_${id}`, join(dir, "run.sh")]);
  const began = spawnSync(argv[0] ?? "", argv.slice(1), { env });
  expect(began.status).toBe(0);
  const log = join(dir, "output.log");
  await waitUntil(() => existsSync(log) && readFileSync(log, "utf8").includes("begun"), "the session began");
};

const noteRunning = (id: string, dir: string, earlier = folder): void =>
  changeEarlier(
    earlier,
    `update jobs set id = '${id}', dir = '${dir}', started_at = ${Date.now() / 1000} where id = 'lost01'`,
  );

const addRunning = async (id: string, dir: string, ending: string): Promise<void> => {
  const command = `echo begun; until [ -e ${world.folder}/go ]; do sleep 0.02; done; echo more > made.txt; echo the end; ${ending}`;
  await startSession(id, dir, command);
  noteRunning(id, dir);
};

const chownAll = (path: string, uid: number): void => void spawnSync("chown", ["-R", `${uid}:${uid}`, path]);

const describeAll = (path: string): string =>
  spawnSync(
    "bash",
    ["-c", 'find "$1" -printf "%p %m %T@ %s %y\n" | sort; find "$1" -type f | sort | xargs md5sum', "-", path],
    { encoding: "utf8" },
  ).stdout;

const letGo = (): void => writeFileSync(join(world.folder, "go"), "");

const logOf = async (id: string): Promise<string> => (await world.nx(["logs", id])).stdout;

describe("what an earlier Nexus left", () => {
  test("is there when the server starts: history with logs, and what became of what ran", async () => {
    const log = join(jobFolder("ended7"), "output.log");
    utimesSync(log, 1_700_000_500, 1_700_000_500);
    expect(await takeOver()).toBe(
      [
        `Took over from ${folder}/nexus_server.db: 4 queued, 4 running, 5 ended jobs.`,
        "Running jobs whose session is gone: 4. The server says at its start what became of them.",
        "nocode was queued and has failed. Not run: when it was taken over from the earlier Nexus, its code (artifact gone) is not in the database",
        "Blacklisted GPUs: 1, 3.",
        `Its settings are in ${world.folder}/server/config.toml now.`,
        "",
      ].join("\n"),
    );
    await world.startServer();
    expect(await world.waitFor("ended0")).toMatchObject({ status: "completed", exit_code: 0 });
    expect(await world.waitFor("ended7")).toMatchObject({
      status: "failed",
      exit_code: 7,
      completed_at: 1_700_000_500,
    });
    const lost = await world.waitFor("lost01");
    expect([lost.status, lost.error_message]).toEqual(["failed", "Lost: the machine restarted"]);
    expect(await world.waitFor("nodir1")).toMatchObject({ status: "killed" });
    expect(await logOf("done01")).toContain("result 42");
    expect(await logOf("ended7")).toContain("bad");
    expect((await world.nx(["history", "--all"])).stdout).toContain("fail01");
    expect(await world.waitFor("back01")).toMatchObject({ status: "completed", node_name: "old-box" });
    expect(await logOf("back01")).toContain("back01");
    expect(await world.waitFor("high01")).toMatchObject({ status: "completed", gpu_idxs: [1], user: "bob" });
  });

  test("of this start of the machine is lost for what is known", async () => {
    changeEarlier(folder, `update jobs set started_at = ${Date.now() / 1000} where status = 'running'`);
    await takeOver();
    await world.startServer();
    const reason = async (id: string): Promise<string | null> => (await world.waitFor(id)).error_message;
    expect(await reason("lost01")).toBe(
      "Lost: its session ended without an exit code (killed from outside or out of memory)",
    );
    changeEarlier(folder, "update jobs set marked_for_kill = 0");
  });

  test("is nothing new the second time, which changes nothing", async () => {
    await takeOver();
    const settings = readFileSync(join(world.folder, "server", "config.toml"), "utf8");
    expect(await takeOver()).toBe(
      `Nothing new in ${folder}/nexus_server.db: all of its 13 jobs were taken over before.\n`,
    );
    expect(readFileSync(join(world.folder, "server", "config.toml"), "utf8")).toBe(settings);
  });

  test("has settings that this server reads, and those that it has stay", async () => {
    await takeOver();
    const shown = await runProgram([...SERVER, "config"], {
      env: { ...world.env, NS_PORT: undefined },
      cwd: world.home,
    });
    for (const line of ["54399", "old-box", "192.0.2.7"]) expect(shown.stdout).toContain(line);
    expect(readFileSync(join(world.folder, "server", "config.toml"), "utf8")).toContain("earlier-token");
    writeFileSync(join(world.folder, "server", "config.toml"), `node_name = "new"\nport = 54399\n`);
    expect(await takeOver()).toContain(
      "config.toml stays as it is; the earlier settings differ in: node_name, external_ip, api_token, refresh_rate, supplementary_groups.",
    );
  });

  test("has settings of the client that are read as they are", async () => {
    cpSync(join(folder, ".nexus"), join(world.home, ".nexus"), { recursive: true });
    const shown = await world.nx(["target", "list"]);
    expect([shown.exitCode, shown.stdout]).toEqual([0, expect.stringContaining("old-box")]);
  });
});

describe("a job that ran under the earlier server and whose session lives", () => {
  test.each([
    ["exit 0", { status: "completed", exit_code: 0 }],
    ["exit 9", { status: "failed", exit_code: 9 }],
  ])("goes on, is followed, and ends as its command does: %s", async (ending, end) => {
    const dir = join(world.folder, "job-folders", "nexus-job-live01-x");
    await addRunning("live01", dir, ending);
    expect(await takeOver()).toContain("Running jobs that go on: 1.\n");
    await world.startServer();
    expect(await world.job("live01")).toMatchObject({ status: "running", dir });
    expect(await logOf("live01")).toContain("begun");
    letGo();
    expect(await world.waitFor("live01")).toMatchObject(end);
    expect(await logOf("live01")).toContain("the end");
    expect(readFileSync(join(dir, "repo", "made.txt"), "utf8")).toBe("more\n");
    const files = await world.nx(["files", "live01"]);
    expect([files.exitCode, files.stderr]).toEqual([0, expect.stringContaining(`What it makes stays in ${dir}/repo`)]);
    rmSync(dir, { recursive: true });
    expect(await logOf("live01")).toContain("the end");
  });

  test.skipIf(!canCrossDisks)("goes on also where its folder is on another disk", async () => {
    const place = mkdtempSync(join(OTHER_DISK, "nexus-import-"));
    try {
      const dir = join(place, "nexus-job-live01-x");
      await addRunning("live01", dir, "exit 9");
      await takeOver();
      await world.startServer();
      expect(await logOf("live01")).toContain("begun");
      letGo();
      expect(await world.waitFor("live01")).toMatchObject({ status: "failed", exit_code: 9 });
      expect(await logOf("live01")).toContain("the end");
      await waitUntil(async () => (await world.job("live01")).outputs.state !== "moving", "its files are seen to");
      expect(readFileSync(join(dir, "repo", "made.txt"), "utf8")).toBe("more\n");
      expect(readdirSync(dir)).not.toContain("outputs");
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  test("is attached to like any other: seen, typed into, and its end is that of nx attach", async () => {
    const dir = join(world.folder, "job-folders", "nexus-job-live01-x");
    await startSession("live01", dir, "echo begun; head -n 1 | tr a-z A-Z; exit 3");
    noteRunning("live01", dir);
    await takeOver();
    await world.startServer();
    const tmux = createTmux(world, NX);
    try {
      const window = await tmux.openWindow();
      window.type("nx attach live01; echo code $?");
      window.press("Enter");
      await window.see(/^begun$/m);
      window.type("hello");
      window.press("Enter");
      await window.see(/^code 3$/m);
      expect(window.read()).toContain("HELLO");
    } finally {
      tmux.dispose();
    }
    expect(await world.waitFor("live01")).toMatchObject({ status: "failed", exit_code: 3 });
  });

  test.skipIf(!canMakeUsers)(
    "goes on, of a user whose earlier folder can't be written any more, of which nothing is changed",
    async () => {
      const user = makeUser(mkdtempSync(join(world.folder, "users-")), "ann");
      const theirs = await createWorld(user.uid);
      try {
        const earlier = copyEarlier(join(theirs.folder, "earlier"));
        const dir = join(earlier, "job-folders", "nexus-job-live01-x");
        mkdirSync(dir, { recursive: true });
        const command = `echo begun; until [ -e ${theirs.folder}/go ]; do sleep 0.02; done; exit 6`;
        chownAll(earlier, user.uid);
        await startSession("live01", dir, command, user.as);
        noteRunning("live01", dir, earlier);
        spawnSync("chmod", ["-R", "a-w", earlier]);
        const before = describeAll(earlier);
        const done = await user.run([...SERVER, "import", earlier], theirs.env);
        expect([done.exitCode, done.stderr]).toEqual([0, ""]);
        expect(done.stdout).toContain("Running jobs that go on: 1.\n");
        expect(describeAll(earlier)).toBe(before);
        await theirs.startServer();
        expect((await user.run([NX, "logs", "done01"], theirs.env)).stdout).toContain("result 42");
        expect((await user.run([NX, "logs", "live01"], theirs.env)).stdout).toContain("begun");
        writeFileSync(join(theirs.folder, "go"), "");
        expect(await theirs.waitFor("live01")).toMatchObject({ status: "failed", exit_code: 6 });
      } finally {
        await theirs.dispose();
        removeUser(user);
      }
    },
  );

  test.skipIf(!canMakeUsers)(
    "of another user than the server has a terminal that one line tells how to see",
    async () => {
      const user = makeUser(mkdtempSync(join(world.folder, "users-")), "bob");
      try {
        chmodSync(world.folder, 0o755);
        const dir = join(world.folder, "job-folders", "nexus-job-live01-x");
        mkdirSync(dir, { recursive: true });
        chownAll(dir, user.uid);
        await startSession("live01", dir, "echo begun; sleep 300", user.as);
        noteRunning("live01", dir);
        await takeOver();
        await world.startServer();
        const { pid, screen_session_name: session } = await world.job("live01");
        const refused = `Job live01 has a terminal of the user ${user.name}, which this server can't show: as ${user.name}, type screen -x ${pid}.${session}`;
        const argv = ["script", "-qec", `${NX} attach live01; echo code $?`, "/dev/null"];
        const asked = await runProgram(argv, { env: { ...world.env, TERM: "xterm" }, cwd: world.home });
        expect(asked.stdout).toContain(refused);
        expect(asked.stdout).toContain("code 6");
      } finally {
        removeUser(user);
      }
    },
  );

  test("is killed like any other, also one that the earlier server was about to kill", async () => {
    await addRunning("live01", join(world.folder, "job-folders", "nexus-job-live01-x"), "exit 0");
    changeEarlier(folder, "update jobs set marked_for_kill = 1 where id = 'live01'");
    await takeOver();
    await world.startServer();
    expect(await world.waitFor("live01")).toMatchObject({ status: "killed" });
    await waitUntil(() => listProcessesWith("NAME=live01").length === 0, "no process is left");
  });

  test("is adopted and does not run twice where the earlier server died before it wrote down that it had started it", async () => {
    const dir = join(world.folder, "job-folders", "nexus-job-back01-x");
    await startSession("back01", dir, `echo begun; until [ -e ${world.folder}/go ]; do sleep 0.02; done; exit 4`);
    expect(await takeOver()).toContain("3 queued, 5 running");
    await world.startServer();
    expect(await world.job("back01")).toMatchObject({ status: "running", gpu_idxs: [0], dir });
    letGo();
    expect(await world.waitFor("back01")).toMatchObject({ status: "failed", exit_code: 4 });
  });
});

describe("nexus-server import", () => {
  test("that is killed at any moment is done again, and all is there once", async () => {
    for (const delay of KILL_AFTER_MS) {
      const child = Bun.spawn([...SERVER, "import", folder], { env: world.env, stdout: "ignore", stderr: "ignore" });
      await letPass(delay);
      child.kill("SIGKILL");
      await child.exited;
    }
    expect(await takeOver()).toMatch(
      /^(Took over from .*: 4 queued, 4 running, 5 ended jobs|Nothing new in .*: all of its 13)/,
    );
    await world.startServer({ NS_MAX_CPU_JOBS: "0" });
    expect(await world.waitFor("ended7")).toMatchObject({ status: "failed", exit_code: 7 });
    expect(await logOf("done01")).toContain("result 42");
    expect(await world.job("back01")).toMatchObject({ status: "queued" });
  });

  test("refuses a folder that is not there, has no such database, or is in use, each with its code", async () => {
    const refuse = async (...words: readonly string[]): Promise<readonly [number | null, string]> => {
      const { exitCode, stderr } = await serve("import", ...words);
      return [exitCode, stderr];
    };
    expect(await refuse(join(world.folder, "none"))).toEqual([5, expect.stringContaining("there is no folder")]);
    expect(await refuse(world.home)).toEqual([
      5,
      expect.stringContaining(`there is no nexus_server.db in ${world.home}`),
    ]);
    expect(await refuse("a", "b")).toEqual([2, expect.stringContaining("nexus-server import [FOLDER]")]);
    const server = await world.startServer();
    expect(await refuse(folder)).toEqual([6, expect.stringContaining("stop it, import, and start it again")]);
    await stopChild(server, "SIGTERM");
    changeEarlier(folder, "update jobs set status = 'odd' where id = 'low001'");
    expect(await refuse(folder)).toEqual([1, expect.stringContaining("1 of its jobs can be none here")]);
    expect(await refuse(folder)).toEqual([1, expect.stringContaining(`left out: job "low001"`)]);
  });

  test("is named by a server that finds such a database in its folder, whatever its name", async () => {
    const serverDir = join(world.folder, "server");
    mkdirSync(serverDir, { mode: 0o700 });
    renameSync(join(folder, "nexus_server.db"), join(serverDir, "jobs.db"));
    const refused = await serve();
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`nexus-server import ${serverDir}`),
    ]);
    renameSync(join(serverDir, "jobs.db"), join(serverDir, "nexus_server.db"));
    const server = Bun.spawn([...SERVER], { env: world.env, stdout: "pipe", stderr: "ignore" });
    let said = "";
    void (async () => {
      for await (const part of server.stdout) said += new TextDecoder().decode(part);
    })();
    await waitUntil(() => said.includes(`nexus-server import ${serverDir}`), "the server names the command");
    server.kill();
    await server.exited;
    folder = serverDir;
    await takeOver();
    const log = join(world.folder, "log");
    writeFileSync(log, "");
    const quiet = Bun.spawn([...SERVER], { env: world.env, stdout: "pipe", stderr: "ignore" });
    void (async () => {
      for await (const part of quiet.stdout) appendFileSync(log, part);
    })();
    await waitUntil(() => readFileSync(log, "utf8").includes("back01"), "the server runs jobs");
    expect(readFileSync(log, "utf8")).not.toContain("nexus-server import");
    quiet.kill();
    await quiet.exited;
  });
});

test.skipIf(!canInstall)(
  "a job that the earlier server's own code started is adopted",
  async () => {
    const venv = installEarlier(join(world.folder, "venv"));
    folder = join(world.folder, "real");
    mkdirSync(folder);
    const command = `echo begun; until [ -e ${world.folder}/go ]; do sleep 0.02; done; exit 5`;
    runEarlier(venv, ["start", folder], { ...world.env, NS_MOCK_GPUS: "true", TMPDIR: world.folder, COMMAND: command });
    expect(await takeOver()).toContain("Running jobs that go on: 1.\n");
    await world.startServer();
    expect(await world.job("live01")).toMatchObject({ status: "running" });
    letGo();
    expect(await world.waitFor("live01")).toMatchObject({ status: "failed", exit_code: 5 });
    for (const pid of listProcessesWith("NAME=live01")) killProcess(pid);
  },
  INSTALL_LIMIT_MS,
);
