import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const OF_FIRST_SHELL = {
  ...{ VIRTUAL_ENV: "/old/venv", CONDA_PREFIX: "/old/conda", PYTHONPATH: "/old", LD_LIBRARY_PATH: "/old" },
  ...{ RANK: "3", WORLD_SIZE: "8", SLURM_JOB_ID: "77", GIT_DIR: "/elsewhere/.git", MAKEFLAGS: "-j8" },
  ...{
    TMUX: "/tmp/tmux",
    STY: "1.x",
    NEXUS_JOB_ID: "outer",
    NEXUS_GIT_TAG: "outer",
    HF_TOKEN: "first",
    UNKNOWN_X: "y",
  },
};

const OF_USER = { LC_TIME: "C", TZ: "UTC", NO_PROXY: "example.org", XDG_CACHE_HOME: "/cache", SSL_CERT_DIR: "/certs" };

let world: World;

const readServerPid = (): number => Number(readFileSync(join(world.folder, "server", "server.pid"), "utf8"));

beforeEach(async () => {
  world = await createWorld();
  mkdirSync(join(world.home, "tools"));
  writeFileSync(join(world.home, ".profile"), 'PATH="$HOME/tools:$PATH"\n');
});

afterEach(async () => {
  const pid = readServerPid();
  process.kill(pid, "SIGTERM");
  await waitUntil(() => !existsSync(`/proc/${pid}`), "the server has left its port");
  await world.dispose();
});

const nx = (words: readonly string[], shell: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([NX, ...words], { env: { ...world.env, ...shell }, cwd: world.home });

const MADE_BY_SH = new Set(["PWD", "OLDPWD", "SHLVL", "_"]);

const readLoginPath = async (): Promise<string> => {
  const env = { HOME: world.home, USER: world.env["USER"], SHELL: "/bin/sh", ...OF_USER };
  return (await runProgram(["/bin/sh", "-lc", "printenv PATH"], { env, cwd: world.home })).stdout.trim();
};

const readServerNames = (): readonly string[] => {
  const variables = readFileSync(`/proc/${readServerPid()}/environ`, "utf8").split("\0");
  return variables.filter((variable) => variable !== "").map((variable) => variable.slice(0, variable.indexOf("=")));
};

test("a server that nx starts, and jobs of other shells there, have nothing of the shell in which that happened", async () => {
  const shell = { ...OF_FIRST_SHELL, ...OF_USER, SHELL: "/bin/sh", PATH: `/old/venv/bin:${process.env["PATH"]}` };
  expect((await nx(["queue"], shell)).stderr).toContain("starting one");
  const fixed = ["HOME", "USER", "SHELL", "PATH", ...Object.keys(OF_USER)];
  const settings = Object.keys(world.env).filter((name) => name.startsWith("NS_"));
  expect(
    readServerNames()
      .filter((name) => !MADE_BY_SH.has(name))
      .toSorted(),
  ).toEqual([...fixed, ...settings].toSorted());
  const run = await nx(["run", "-c", "--no-git", "env -0 | tr '\\0' '\\n'"]);
  const lines = run.stdout.split("\n");
  const names = lines.map((line) => line.slice(0, line.indexOf("=")));
  expect(names).toContain("TZ");
  expect(names.filter((name) => name.startsWith("NS_"))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("PATH="))).toEqual([`PATH=${await readLoginPath()}`]);
  expect(lines.find((line) => line.startsWith("PATH="))).toStartWith(`PATH=${world.home}/tools:`);
  expect(Object.entries(OF_FIRST_SHELL).filter(([name, value]) => lines.includes(`${name}=${value}`))).toEqual([]);
  const other = await nx(["run", "-c", "--no-git", 'echo "$VIRTUAL_ENV"'], { VIRTUAL_ENV: "/second" });
  expect(other.stdout).toEndWith("\n/second\n");
});
