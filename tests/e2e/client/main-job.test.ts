import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NX, runProgram } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const createRepository = async (): Promise<string> => {
  const folder = join(world.folder, "project");
  mkdirSync(join(folder, "sub folder"), { recursive: true });
  writeFileSync(join(folder, "main.sh"), "echo committed\n");
  writeFileSync(join(folder, ".gitignore"), "secret\n");
  await world.git(["init", "--quiet"], folder);
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
  return folder;
};

const endStarted = async (dir = "server"): Promise<void> => {
  const pid = Number(readFileSync(join(world.folder, dir, "server.pid"), "utf8"));
  process.kill(pid, "SIGTERM");
  await waitUntil(
    async () => (await world.nx(["version"])).exitCode === 0 && !isAlive(pid),
    "the started server is gone",
  );
};

describe("nx run", () => {
  test("sends the code as it stands, shows its output and ends with its exit code", async () => {
    await world.startServer();
    const folder = await createRepository();
    writeFileSync(join(folder, "main.sh"), "echo changed; ls -1 --quoting-style=literal; exit 7\n");
    writeFileSync(join(folder, "new file"), "");
    writeFileSync(join(folder, "secret"), "");
    const run = await world.nx(["run", "bash", "main.sh"], folder);
    expect(run.stdout).toBe("bash main.sh\nchanged\nmain.sh\nnew file\n");
    expect(run.stderr).toContain("1 GPU (mock)");
    expect(run.exitCode).toBe(7);
  });

  test("runs in the sub-folder that the user stands in, with each word as it was typed", async () => {
    await world.startServer();
    const folder = await createRepository();
    writeFileSync(join(folder, "sub folder", "here"), "found");
    const run = await world.nx(["run", "printf", "%s|", "a b", "$HOME", "'", '"', "🙂"], join(folder, "sub folder"));
    expect(run.stdout).toEndWith(`a b|$HOME|'|"|🙂|`);
    const cat = await world.nx(["run", "cat here"], join(folder, "sub folder"));
    expect(cat.stdout).toEndWith("\nfound");
  });

  test("starts a local server when there is none, once for two clients at the same moment", async () => {
    const both = await Promise.all([world.nx(["run", "--no-git", "echo a"]), world.nx(["run", "--no-git", "echo b"])]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    await endStarted();
  });

  test.each([
    ["with mock GPUs", "2"],
    ["", "0"],
  ])("says of the server that it starts what that has: %p", async (gpus, NS_MOCK_GPUS) => {
    const asked = await runProgram([NX, "queue"], { env: { ...world.env, NS_MOCK_GPUS }, cwd: world.home });
    const told = `No server on this machine yet: starting one${gpus && ` ${gpus}`}.\n`;
    expect([asked.exitCode, asked.stderr]).toEqual([0, expect.stringContaining(told)]);
    await endStarted();
  });

  test("finds the one that it started also where its folder is too long a path for a socket", async () => {
    const runtime = join(world.folder, "runtime");
    mkdirSync(runtime, { mode: 0o700 });
    const long = "l".repeat(100);
    const more = { NS_SERVER_DIR: `../${long}/`, XDG_RUNTIME_DIR: runtime, NS_PORT: undefined };
    const ask = () => runProgram([NX, "queue"], { env: { ...world.env, ...more }, cwd: world.home });
    const [first, second] = [await ask(), await ask()];
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringContaining("starting one")]);
    expect([second.exitCode, second.stderr]).toEqual([0, "The queue is empty.\n"]);
    expect(readdirSync(runtime).some((name) => /^nexus-[0-9a-f]{16}\.sock$/.test(name))).toBe(true);
    await endStarted(long);
  });

  const hasGpu =
    readdirSync("/dev").some((name) => /^(nvidia.*|kfd|dxg)$/.test(name)) ||
    ["nvidia-smi", "amd-smi", "rocm-smi"].some((tool) => Bun.which(tool) !== null);

  test("starts one that decides itself whether there are GPUs to be had", async () => {
    const { NS_MOCK_GPUS: _mock, ...env } = world.env;
    const tools = join(world.folder, "tools");
    mkdirSync(tools);
    writeFileSync(join(tools, "rocm-smi"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const ask = (more: NodeJS.ProcessEnv) => runProgram([NX, "--json"], { env: { ...env, ...more }, cwd: world.home });
    for (const [path, isMock] of [
      [env["PATH"], !hasGpu],
      [`${tools}:${env["PATH"]}`, false],
    ] as const) {
      writeFileSync(join(world.home, ".profile"), `PATH="${path}"\n`);
      const asked = await ask({ SHELL: "/bin/sh" });
      expect([JSON.parse(asked.stdout).status.mock, asked.stderr.includes("mock GPUs")]).toEqual([isMock, isMock]);
      await endStarted();
    }
  });

  test("says what to do when no GPU is free, and outside a repository", async () => {
    await world.startServer();
    await world.nx(["run", "-d", "--no-git", "-g", "2", "sleep 60"]);
    const full = await world.nx(["run", "--no-git", "true"]);
    expect(full.exitCode).toBe(6);
    expect(full.stderr).toContain("nx add");
    const outside = await world.nx(["run", "true"]);
    expect(outside.exitCode).toBe(2);
    expect(outside.stderr).toContain("--no-git");
  });
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("nx add", () => {
  test("runs a sweep of 20 on two GPUs, in order and never two on one", async () => {
    await world.startServer();
    const log = join(world.folder, "sweep.log");
    const values = Array.from({ length: 20 }, (_job, index) => index).join(",");
    const script = `echo "start $CUDA_VISIBLE_DEVICES {${values}}" >> ${log}; sleep 0.05; echo "end $CUDA_VISIBLE_DEVICES" >> ${log}`;
    const added = await world.nx(["add", "-q", "-y", "--no-git", script]);
    const ids = added.stdout.trim().split("\n");
    expect(ids).toHaveLength(20);
    for (const id of ids) expect((await world.waitFor(id)).exit_code).toBe(0);
    const busy = new Set<string>();
    const started: number[] = [];
    for (const line of readFileSync(log, "utf8").trim().split("\n")) {
      const [what, gpu = "", number] = line.split(" ");
      if (what === "end") busy.delete(gpu);
      else {
        expect(busy.has(gpu)).toBe(false);
        busy.add(gpu);
        started.push(Number(number));
      }
    }
    expect(started.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_job, index) => index));
    const startTimes = await Promise.all(ids.map(async (id) => (await world.job(id)).started_at ?? 0));
    expect(startTimes).toEqual(startTimes.toSorted((a, b) => a - b));
  });
});

describe("the other verbs", () => {
  test("queue, get, logs, edit, remove, kill and history work on the same server", async () => {
    await world.startServer();
    const [running = "", waiting = ""] = (
      await world.nx(["add", "-q", "-y", "--no-git", "-g", "2", "-r", "2", "echo begun; sleep 60"])
    ).stdout.split("\n");
    await world.waitFor(running, ["running"]);
    expect((await world.nx(["queue", "-q"])).stdout).toBe(`${waiting}\n`);
    expect((await world.nx(["edit", waiting, "-p", "-5"])).exitCode).toBe(0);
    expect(JSON.parse((await world.nx(["get", waiting, "--json"])).stdout).priority).toBe(-5);
    await waitUntil(async () => (await world.nx(["logs", running])).stdout.endsWith("begun\n"), "the log is there");
    expect((await world.nx(["remove", waiting])).exitCode).toBe(2);
    expect((await world.nx(["remove", "-y", waiting])).exitCode).toBe(0);
    expect((await world.nx(["kill", "-y", "0"])).stdout).toContain(running);
    expect((await world.waitFor(running)).status).toBe("killed");
    expect((await world.nx(["history", "-q"])).stdout).toBe(`${running}\n`);
    expect((await world.nx([])).stdout).toContain("mock GPUs");
  });

  test("wrong usage ends with 2 and the nearest spelling, an absent server with 3", async () => {
    const verb = await world.nx(["quue"]);
    expect([verb.exitCode, verb.stdout]).toEqual([2, ""]);
    expect(verb.stderr).toContain("did you mean queue?");
    const flag = await world.nx(["run", "--gpu", "1", "true"]);
    expect(flag.exitCode).toBe(2);
    expect((await world.nx(["queue", "--no-autostart"])).exitCode).toBe(3);
  });

  test("nx alone, which asks several things at once, starts one server", async () => {
    const status = await world.nx([]);
    expect([status.exitCode, status.stdout]).toEqual([0, expect.stringContaining("mock GPUs")]);
    expect(status.stderr.split("\n").filter((line) => line.includes("starting one"))).toHaveLength(1);
  });
});
