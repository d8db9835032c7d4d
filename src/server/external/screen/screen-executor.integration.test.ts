import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adoptForDisposal,
  type Bench,
  createBench,
  createStartingJob,
  createWork,
  launchJob,
  listProcessesOf,
  probeOne,
  readJobFile,
  waitForEnd,
} from "../../../../tests/support/screen-bench.ts";
import { letPass, waitUntil } from "../../../../tests/support/wait.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import { locateJobFiles } from "../job-folder/job-paths.ts";
import { locateClaim } from "./job-files.ts";
import { readProcess } from "./processes/process-table.ts";
import { renderCommandScript, renderOuterScript } from "./run-script.ts";
import { createScreenExecutor } from "./screen-executor.ts";

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const exited = (exitCode: number) => ({ kind: "exited", exitCode, processesLeft: 0 }) as const;

const run = async (command: string, env: Readonly<Record<string, string>> = {}, jobrc: string | null = null) => {
  const job = await launchJob(bench, createStartingJob({ command, jobrc }), env);
  const observation = await waitForEnd(bench, job);
  return { job, observation, log: readJobFile(bench, job, "output.log") };
};

const screenPidOf = (job: ActiveJob): number =>
  job.status === "running" && job.handle.kind === "screen" ? job.handle.pid : 0;

const killScreen = async (job: ActiveJob): Promise<void> => {
  process.kill(screenPidOf(job), "SIGKILL");
  await waitUntil(() => readProcess(screenPidOf(job)) === null, "its screen is gone");
  spawnSync("screen", ["-wipe", `nexus_job_${job.id}`]);
};

const pathIn = (job: ActiveJob, name: string): string => join(bench.serverDir, "jobs", job.id, name);

const waitForFile = (job: ActiveJob, name: string): Promise<void> =>
  waitUntil(() => existsSync(pathIn(job, name)), `${name} is there`);

describe("a job's end", () => {
  test("one that ends at once has its log and its exit code", async () => {
    const { observation, log, job } = await run("true");
    expect(observation).toMatchObject(exited(0));
    expect(log.trimEnd().split("\n").at(-1)).toContain('COMMAND_EXIT_CODE="0"');
    expect(readJobFile(bench, job, "exit_code").trim()).toBe("0");
    expect(statSync(pathIn(job, ".")).mode & 0o777).toBe(0o700);
  });

  test.each([
    ["exit 7", 7],
    ["false | true", 1],
    ["kill -9 $$", 137],
    ["kill -TERM $$", 143],
    ["no-such-program", 127],
    ["if", 2],
  ])("%s gives %d", async (command, exitCode) => {
    expect((await run(command)).observation).toMatchObject(exited(exitCode));
  });

  test("what it prints can't change its result", async () => {
    const { observation } = await run(`echo 'Script done [COMMAND_EXIT_CODE="0"]'; exit 3`);
    expect(observation).toMatchObject(exited(3));
  });

  test("bytes that are no UTF-8 reach the log unharmed", async () => {
    const { job, observation } = await run("printf '\\377\\376x\\200'");
    expect(observation).toMatchObject(exited(0));
    expect(readFileSync(pathIn(job, "output.log")).includes(Buffer.from([0xff, 0xfe, 0x78, 0x80]))).toBe(true);
  });

  test("all of a large output of a short job is in the log", async () => {
    const { log } = await run("seq 1 200000");
    expect(log).toContain("\r\n199999\r\n200000\r\n");
  });

  test("an exit noticed through watch, by the executor that launched it and by one that adopted it", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "while [ ! -e ../go ]; do sleep 0.01; done" }));
    const adopting = createScreenExecutor({ serverDir: bench.serverDir });
    const noticed = (executor: typeof adopting) =>
      new Promise<string>((resolve) => {
        const stop = executor.watch(job, async () => {
          const observation = await probeOne(executor, job);
          if (observation.kind !== "exited") return;
          stop();
          resolve(observation.kind);
        });
      });
    const both = Promise.all([noticed(bench.executor), noticed(adopting)]);
    writeFileSync(pathIn(job, "go"), "");
    expect(await both).toEqual(["exited", "exited"]);
  });

  test("a watch that begins after the exit calls back too", async () => {
    const { job } = await run("true");
    await new Promise<void>((resolve) => {
      const stop = bench.executor.watch(job, () => {
        stop();
        resolve();
      });
    });
  });

  test("a process that outlives the exit code is counted until it has ended", async () => {
    const job = await launchJob(
      bench,
      createStartingJob({
        command: `setsid bash -c 'touch ../up; exec sleep 300' </dev/null >/dev/null 2>&1 &
          until [ -e ../up ]; do sleep 0.01; done
          exit 4`,
      }),
    );
    await waitForFile(job, "exit_code");
    expect(await probeOne(bench.executor, job)).toMatchObject({ kind: "exited", exitCode: 4, processesLeft: 1 });
    await bench.executor.kill([job], true);
    expect(await waitForEnd(bench, job)).toMatchObject(exited(4));
  });
});

describe("a job's command", () => {
  const commands = [
    `printf '%s|' "a b" 'c"d' \`echo e\` $(echo f) "\${HOME:+home}" \\$x`,
    "cat <<'EOF'\nline 'one'\n\"two\" $HOME `x`\nEOF\necho 🚀 é \\\n  end",
    'for i in 1 2; do\n  echo "$i"\ndone # a comment',
    "echo '%s\\n' \"\\t\" '!' ~root #x",
  ];
  test.each(commands)("reaches bash unchanged and is echoed as typed: %p", async (command) => {
    const { log, observation } = await run(command);
    const expected = spawnSync("bash", ["-c", command]).stdout.toString();
    expect(observation).toMatchObject(exited(0));
    const body = log.replaceAll("\r\n", "\n").split("\n").slice(1).join("\n");
    expect(body.startsWith(`${command}\n${expected}`)).toBe(true);
    expect(body.split(command).length).toBe(2);
  });

  test("runs in repo/ with a terminal, pipefail and no other option", async () => {
    const { log, job } = await run(
      'pwd; test -t 0 && test -t 1 && test -t 2 && echo terminal; echo "[$SHELLOPTS] [$-]"',
    );
    expect(log).toContain(`${pathIn(job, "repo")}\r\n`);
    expect(log).toContain("\r\nterminal\r\n");
    expect(log).toContain("[braceexpand:hashall:interactive-comments:pipefail] [hB]");
  });

  test("runs after the jobrc, which may set variables, functions and directories", async () => {
    const { log } = await run(
      'greet "$x"; pwd',
      {},
      'x=\'a  b\'\ngreet() { echo "hi $1"; }\ncd /\n[ -z "$PS1" ] && return\nx=no',
    );
    expect(log).toContain("hi a  b\r\n/\r\n");
  });

  test("a jobrc that nothing ends does not swallow it", async () => {
    const { log, observation } = await run("echo still here", {}, "cat <<EOF");
    expect(log).toContain("still here\r\n");
    expect(observation).toMatchObject(exited(0));
  });

  test.each([
    ["if [ 'x", 2, 1],
    ["echo $(", 2, 2],
    ["false\n)(", 2, 2],
    ["true\nfalse", 1, 2],
    ["exit 0", 1, 1],
    ["exec true", 1, 1],
  ])("does not run after a jobrc that failed: %p", async (jobrc, exitCode, jobrcLine) => {
    const { job, observation } = await run("touch ../ran", {}, jobrc);
    expect(observation).toMatchObject({ ...exited(exitCode), jobrcLine });
    expect(existsSync(pathIn(job, "ran"))).toBe(false);
  });
});

describe("a job's environment", () => {
  const env = {
    LD_LIBRARY_PATH: "/opt/sesame-7f3a-lib",
    TMPDIR: "/tmp/sesame-7f3a-tmp",
    MALLOC_ARENA_MAX: "77001",
    TERM: "sesame-7f3a-term",
    MULTI: "sesame-7f3a-1\n  'sesame-7f3a-2' \"$x\" `y`\n",
    EMPTY: "",
    UID: "55",
    SHELLOPTS: "xtrace",
    BASH_ENV: "/nowhere-sesame-7f3a",
    IFS: "x",
    v: "small-sesame-7f3a",
    CUDA_DEVICE_ORDER: "MINE",
    PATH: process.env.PATH ?? "",
  };

  test("arrives whole, in the process environment only", async () => {
    const dump = "cat /proc/self/environ > ../seen; cat /proc/*/cmdline > ../arguments 2>/dev/null";
    const { job } = await run(dump, env);
    const seen = new Map(
      readJobFile(bench, job, "seen")
        .split("\0")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
    );
    for (const name of Object.keys(env).filter((key) => !["UID", "SHELLOPTS", "IFS"].includes(key))) {
      expect([name, seen.get(name)]).toEqual([name, env[name as keyof typeof env]]);
    }
    expect(seen.get("CUDA_VISIBLE_DEVICES")).toBe("");
    expect(seen.get("NEXUS_JOB_ID")).toBe(job.id);
    expect([...seen.keys()].filter((name) => name.startsWith("NEXUS_PASS_"))).toEqual([]);
    for (const name of ["run.sh", "job_commands.sh", "output.log", "error.log", "screenrc", "arguments"]) {
      expect(readJobFile(bench, job, name)).not.toContain("sesame-7f3a");
    }
  });

  test("a job's PATH without any program keeps nothing from being recorded", async () => {
    const { observation } = await run("exit 9", { PATH: "/nowhere", SHELL: "/nowhere/sh", BASH_ENV: "/nowhere" });
    expect(observation).toMatchObject(exited(9));
  });

  test("too large an environment is an error in one line", async () => {
    const job = createStartingJob();
    const launched = await bench.executor.launch(job, createWork(job, { BIG: "x".repeat(200_000) }));
    expect(launched.ok).toBe(false);
    if (!launched.ok) expect(launched.error.message).toMatch(/^Could not start[^\n]+$/);
  });
});

describe("at most once", () => {
  test("a job that was never launched is unstarted, and can't start from then on", async () => {
    const job = createStartingJob({ command: "touch ../ran" });
    expect(await probeOne(bench.executor, job)).toEqual({ kind: "unstarted" });
    const launched = await bench.executor.launch(job, createWork(job));
    expect(launched.ok).toBe(false);
    expect(await probeOne(bench.executor, job)).toEqual({ kind: "unstarted" });
    expect(existsSync(pathIn(job, "ran"))).toBe(false);
  });

  test("queued again and launched anew, it runs, though its first launch was revoked", async () => {
    const first = createStartingJob({ command: "echo again >> ../ran" });
    await probeOne(bench.executor, first);
    const second = await launchJob(bench, { ...first, startedAt: first.startedAt + 1 });
    expect(await waitForEnd(bench, second)).toMatchObject(exited(0));
    expect(await probeOne(bench.executor, first)).toEqual({ kind: "unstarted" });
    expect(readJobFile(bench, second, "ran")).toBe("again\n");
  });

  test("launching twice runs it once, also in another server", async () => {
    const job = createStartingJob({ command: "echo once >> ../ran; touch ../told; sleep 300" });
    const [one, two] = await Promise.all([launchJob(bench, job), launchJob(bench, job)]);
    const other = createScreenExecutor({ serverDir: bench.serverDir });
    const third = await other.launch(job, createWork(job));
    expect(two.handle).toEqual(one.handle);
    expect(third).toEqual({ ok: true, value: one.handle });
    await waitForFile(one, "told");
    expect(readJobFile(bench, one, "ran")).toBe("once\n");
  });

  test("a run.sh that finds its launch claimed does nothing", async () => {
    const job = createStartingJob({ command: "touch ../ran" });
    await probeOne(bench.executor, job);
    writeFileSync(pathIn(job, "run.sh"), renderOuterScript(job));
    writeFileSync(pathIn(job, "job_commands.sh"), renderCommandScript(job));
    expect(spawnSync("bash", ["run.sh"], { cwd: pathIn(job, ".") }).status).toBe(1);
    expect(readdirSync(pathIn(job, ".")).sort()).toEqual([
      expect.stringMatching(/^claim-/),
      "job_commands.sh",
      "run.sh",
    ]);
  });

  test("a starting job whose server died after the launch is adopted, and ends as it says", async () => {
    const starting = createStartingJob({ command: "while [ ! -e ../go ]; do sleep 0.01; done; exit 6" });
    const running = await launchJob(bench, starting);
    const adopting = createScreenExecutor({ serverDir: bench.serverDir });
    expect(await probeOne(adopting, starting)).toEqual({ kind: "alive", handle: running.handle });
    expect(await probeOne(adopting, running)).toEqual({ kind: "alive", handle: running.handle });
    writeFileSync(pathIn(starting, "go"), "");
    expect(await waitForEnd({ ...bench, executor: adopting }, starting)).toMatchObject(exited(6));
  });
});

describe("a lost job", () => {
  test("its session killed from outside", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    await killScreen(job);
    const observation = await waitForEnd(bench, job);
    expect(observation).toEqual({
      kind: "lost",
      reason: expect.stringMatching(/^Lost: its session ended without an exit code/),
    });
    expect(listProcessesOf(job.id)).toEqual([]);
  });

  test("its screen killed from outside: no dead socket is left", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    const list = () => spawnSync("screen", ["-ls", `nexus_job_${job.id}`], { encoding: "utf8" }).stdout;
    expect(list()).toContain(`${screenPidOf(job)}.nexus_job_${job.id}`);
    process.kill(screenPidOf(job), "SIGKILL");
    expect((await waitForEnd(bench, job)).kind).toBe("lost");
    expect(list()).not.toContain(`nexus_job_${job.id}`);
  });

  test("its session killed, but a process left: alive until that has ended", async () => {
    const job = await launchJob(
      bench,
      createStartingJob({ command: "setsid bash -c 'touch ../up; exec sleep 300' & wait" }),
    );
    await waitForFile(job, "up");
    await killScreen(job);
    await waitUntil(() => listProcessesOf(job.id).length === 1, "only the daemon is left");
    expect((await probeOne(bench.executor, job)).kind).toBe("alive");
    await bench.executor.kill([job], true);
    expect((await waitForEnd(bench, job)).kind).toBe("lost");
  });

  test("the machine restarted", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    await bench.executor.kill([job], true);
    const before = { ...job, handle: { ...job.handle, bootId: "another" } };
    await waitForEnd(bench, job);
    expect(await probeOne(bench.executor, before)).toEqual({ kind: "lost", reason: "Lost: the machine restarted" });
  });

  test("another process with its session's pid is not it", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    await bench.executor.kill([job], true);
    await waitForEnd(bench, job);
    const reused = { ...job, handle: { ...job.handle, pid: process.pid } };
    expect((await probeOne(bench.executor, reused)).kind).toBe("lost");
    expect((await bench.executor.kill([reused], true)).ok).toBe(true);
  });

  test("a job begun by an older version ends as the last line of its log says", async () => {
    const job = createStartingJob();
    const handle = { kind: "screen", session: "x", pid: 4_000_000, startTicks: 1, bootId: "b" } as const;
    const old = { ...job, status: "running", handle, wandbUrl: null, notificationMessages: {} } as const;
    mkdirSync(pathIn(job, "."), { recursive: true });
    writeFileSync(pathIn(job, "output.log"), 'x COMMAND_EXIT_CODE="1"\nScript done [COMMAND_EXIT_CODE="5"]\n');
    expect(await probeOne(bench.executor, old)).toMatchObject(exited(5));
    writeFileSync(pathIn(job, "output.log"), 'Script done [COMMAND_EXIT_CODE="5"]\nmore\n');
    expect((await probeOne(bench.executor, old)).kind).toBe("lost");
  });
});

describe("killing", () => {
  const startsDaemon = `
    trap '' TERM HUP
    (setsid bash -c 'trap "" TERM HUP; touch ../daemon; while :; do sleep 0.05; done' </dev/null >/dev/null 2>&1 &)
    env -i setsid sleep 300 &
    touch ../up
    while :; do sleep 0.05; done`;

  test("nothing survives it: neither what traps TERM nor a daemon; other jobs' processes do", async () => {
    const other = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    const job = await launchJob(bench, createStartingJob({ command: startsDaemon }));
    await Promise.all([waitForFile(job, "daemon"), waitForFile(job, "up")]);
    const bystander = Bun.spawn(["sleep", "300"], { stdout: "ignore" });
    try {
      expect((await bench.executor.kill([job], false)).ok).toBe(true);
      expect((await probeOne(bench.executor, job)).kind).toBe("alive");
      expect((await bench.executor.kill([job], true)).ok).toBe(true);
      expect((await waitForEnd(bench, job)).kind).toBe("lost");
      expect(listProcessesOf(job.id)).toEqual([]);
      expect(bystander.exitCode).toBeNull();
      expect((await probeOne(bench.executor, other)).kind).toBe("alive");
    } finally {
      bystander.kill();
    }
  });

  test("the session quits and leaves no socket", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    await bench.executor.kill([job], true);
    await waitForEnd(bench, job);
    expect(spawnSync("screen", ["-ls", `nexus_job_${job.id}`]).stdout.toString()).toContain("No Sockets found");
  });

  test("a session that does not answer is killed, and its socket goes too", async () => {
    const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
    process.kill(screenPidOf(job), "SIGSTOP");
    expect(await bench.executor.kill([job], true)).toEqual({ ok: true, value: undefined });
    await waitForEnd(bench, job);
    expect(spawnSync("screen", ["-ls", `nexus_job_${job.id}`]).stdout.toString()).toContain("No Sockets found");
  });

  test("TERM right after the launch, at any instant, is not lost", async () => {
    for (let delayMs = 0; delayMs < 10; delayMs += 1) {
      const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
      await letPass(delayMs);
      await bench.executor.kill([job], false);
      expect((await waitForEnd(bench, job)).kind).toBe("lost");
    }
  });

  test("TERM gives no exit code, whatever the command answers to it", async () => {
    const job = await launchJob(
      bench,
      createStartingJob({ command: "trap 'exit 0' TERM; touch ../up; while :; do sleep 0.02; done" }),
    );
    await waitForFile(job, "up");
    await bench.executor.kill([job], false);
    expect((await waitForEnd(bench, job)).kind).toBe("lost");
    expect(existsSync(pathIn(job, "exit_code"))).toBe(false);
  });

  test("a process may clean up after TERM and keeps its terminal meanwhile", async () => {
    const python = `python3 -c '
import signal, sys, time
def save(*_):
    time.sleep(0.3)
    print("saved", flush=True)
    open("../saved", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
open("../up", "w").close()
time.sleep(300)'; touch ../next`;
    const job = await launchJob(bench, createStartingJob({ command: python }));
    await waitForFile(job, "up");
    await bench.executor.kill([job], false);
    expect((await waitForEnd(bench, job)).kind).toBe("lost");
    expect(readJobFile(bench, job, "output.log")).toContain("saved");
    expect(existsSync(pathIn(job, "next"))).toBe(false);
  });

  test("a job that ended by itself keeps its exit code", async () => {
    const { job } = await run("exit 3");
    await bench.executor.kill([job], false);
    expect(await probeOne(bench.executor, job)).toMatchObject(exited(3));
  });

  test("a starting job without a handle is killed too", async () => {
    const job = createStartingJob({ command: "sleep 300" });
    await launchJob(bench, job);
    await createScreenExecutor({ serverDir: bench.serverDir }).kill([job], true);
    expect((await waitForEnd(bench, job)).kind).toBe("lost");
  });
});

describe("the session", () => {
  test("can be attached to by a long id, and is not mistaken for one whose id begins alike", async () => {
    const long = createStartingJob({ command: "sleep 300" });
    const longest = { ...long, id: `${long.id}${"x".repeat(56 - long.id.length)}` as typeof long.id };
    const [job, sibling] = [await launchJob(bench, long), await launchJob(bench, longest)];
    const [program = "", ...args] = bench.executor.attachCommand(sibling.handle);
    expect([program, ...args]).toEqual(["screen", "-U", "-x", expect.stringContaining(`nexus_job_${longest.id}`)]);
    for (const one of [job, sibling]) {
      const session = bench.executor.attachCommand(one.handle).at(-1) ?? "";
      const asked = spawnSync("screen", ["-S", session, "-Q", "info"], { timeout: 3000 });
      expect([asked.status, asked.stdout.toString()]).toEqual([0, expect.stringContaining("bash")]);
    }
  });

  test("a server that itself runs in a screen leaves no trace of it", async () => {
    const executor = createScreenExecutor({
      serverDir: bench.serverDir,
      serverEnv: { ...process.env, STY: "1.outer", WINDOW: "9", SCREENDIR: "/nowhere" },
    });
    const job = await launchJob(
      { ...bench, executor },
      createStartingJob({ command: 'echo "$STY $WINDOW [$SCREENDIR]"' }),
    );
    await waitForEnd(bench, job);
    expect(readJobFile(bench, job, "output.log")).toContain(`.nexus_job_${job.id} 0 []`);
  });

  test("screen that can't be run is an error in one line", async () => {
    const executor = createScreenExecutor({ serverDir: bench.serverDir, serverEnv: { PATH: "/nowhere" } });
    const job = createStartingJob();
    const launched = await executor.launch(job, createWork(job));
    expect(launched).toEqual({
      ok: false,
      error: { message: expect.stringMatching(/^Could not start the screen session: .+$/), isTemporary: true },
    });
    expect(await probeOne(executor, job)).toEqual({ kind: "unstarted" });
  });

  test("one that ended before its script began: the launch fails, and the script, when it comes, runs nothing", async () => {
    const job = createStartingJob({ command: "touch ../ran" });
    const programs = join(bench.serverDir, "bin");
    mkdirSync(programs);
    const late = `#!/bin/bash\n[ -e run.sh ] || exit 3\n(until [ -e go ]; do sleep 0.01; done; bash run.sh; touch came) > came.log 2>&1 &\nexit 3\n`;
    writeFileSync(join(programs, "screen"), late, { mode: 0o755 });
    const executor = createScreenExecutor({
      serverDir: bench.serverDir,
      serverEnv: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
    });
    expect((await executor.launch(job, createWork(job))).ok).toBe(false);
    writeFileSync(pathIn(job, "go"), "");
    await waitForFile(job, "came");
    expect(existsSync(pathIn(job, "ran"))).toBe(false);
  });

  test("one that ended after its script began is the job's all the same", async () => {
    const job = createStartingJob({ command: "exit 6" });
    const programs = join(bench.serverDir, "bin");
    mkdirSync(programs);
    writeFileSync(join(programs, "screen"), "#!/bin/bash\nsetsid bash run.sh\nexit 3\n", { mode: 0o755 });
    const executor = createScreenExecutor({
      serverDir: bench.serverDir,
      serverEnv: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
    });
    expect((await executor.launch(job, createWork(job))).ok).toBe(true);
    expect(await waitForEnd({ ...bench, executor }, job)).toMatchObject(exited(6));
  });

  test.each([0, 5, 20])(
    "one that ended %d ms before its script had claimed the launch is the job's all the same",
    async (ms) => {
      const job = createStartingJob();
      const programs = join(bench.serverDir, "bin");
      mkdirSync(programs);
      const claim = locateClaim(locateJobFiles(bench.serverDir, job.id), job);
      const halfway = `#!/bin/bash\n[ -e run.sh ] || exit 3\n: > ${claim}\necho $$ > pid\nexit 3\n`;
      writeFileSync(join(programs, "screen"), halfway, { mode: 0o755 });
      const executor = createScreenExecutor({
        serverDir: bench.serverDir,
        serverEnv: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
      });
      const launching = executor.launch(job, createWork(job));
      await waitUntil(() => readJobFile(bench, job, "pid").endsWith("\n"), "screen has begun");
      const pid = Number(readJobFile(bench, job, "pid"));
      await waitUntil(() => readProcess(pid) === null, "screen has ended");
      await letPass(ms);
      writeFileSync(claim, "4000001 4000000 ab-cd\n");
      expect(await launching).toMatchObject({ ok: true, value: { pid: 4_000_000 } });
    },
  );

  test("one that ended while its script was stopped in the middle of claiming the launch is found by its processes", async () => {
    const job = createStartingJob();
    const programs = join(bench.serverDir, "bin");
    mkdirSync(programs);
    const claim = locateClaim(locateJobFiles(bench.serverDir, job.id), job);
    const script = "until [ -e go ]; do sleep 0.01; done; echo 6 > pending/exit_code; mv pending/exit_code exit_code";
    const halfway = `#!/bin/bash\n[ -e run.sh ] || exit 3\n: > ${claim}\nsetsid bash -c '${script}' > /dev/null 2>&1 &\nexit 3\n`;
    writeFileSync(join(programs, "screen"), halfway, { mode: 0o755 });
    const executor = createScreenExecutor({
      serverDir: bench.serverDir,
      serverEnv: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
    });
    adoptForDisposal(job.id);
    const launched = await executor.launch(job, createWork(job));
    if (!launched.ok) throw new Error(launched.error.message);
    const running = {
      ...job,
      status: "running",
      handle: launched.value,
      wandbUrl: null,
      notificationMessages: {},
    } as const;
    expect((await probeOne(executor, running)).kind).toBe("alive");
    writeFileSync(pathIn(job, "go"), "");
    expect(await waitForEnd({ ...bench, executor }, running)).toMatchObject(exited(6));
  });

  test("scrolls, is silent and keeps 10 000 lines", async () => {
    const { job } = await run("true");
    const screenrc = readJobFile(bench, job, "screenrc").split("\n");
    for (const line of ["defscrollback 10000", "vbell off", "termcapinfo xterm* ti@:te@"])
      expect(screenrc).toContain(line);
  });
});
