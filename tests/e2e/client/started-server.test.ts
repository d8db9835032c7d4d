import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
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

beforeEach(async () => {
  world = await createWorld();
  mkdirSync(join(world.home, "tools"));
  writeFileSync(join(world.home, ".profile"), 'PATH="$HOME/tools:$PATH"\n');
});

afterEach(async () => {
  process.kill(Number(readFileSync(join(world.folder, "server", "server.pid"), "utf8")), "SIGTERM");
  await world.dispose();
});

const nx = (words: readonly string[], shell: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([NX, ...words], { env: { ...world.env, ...shell }, cwd: world.home });

const readServerNames = (): readonly string[] => {
  const pid = readFileSync(join(world.folder, "server", "server.pid"), "utf8").trim();
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return variables.filter((variable) => variable !== "").map((variable) => variable.slice(0, variable.indexOf("=")));
};

test("a server that nx starts, and jobs of other shells there, have nothing of the shell in which that happened", async () => {
  const shell = { ...OF_FIRST_SHELL, ...OF_USER, SHELL: "/bin/sh", PATH: `/old/venv/bin:${process.env["PATH"]}` };
  expect((await nx(["queue"], shell)).stderr).toContain("starting one");
  const fixed = ["HOME", "USER", "SHELL", "PATH", ...Object.keys(OF_USER)];
  const settings = Object.keys(world.env).filter((name) => name.startsWith("NS_"));
  expect(
    readServerNames()
      .filter((name) => name !== "PWD")
      .toSorted(),
  ).toEqual([...fixed, ...settings].toSorted());
  const run = await nx(["run", "-c", "--no-git", "env -0 | tr '\\0' '\\n'"]);
  const names = run.stdout.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  expect(names).toContain("TZ");
  expect(names.filter((name) => name.startsWith("NS_"))).toEqual([]);
  expect(run.stdout).toContain(`\nPATH=${world.home}/tools:/usr/local/sbin:`);
  expect(Object.entries(OF_FIRST_SHELL).filter(([name, value]) => run.stdout.includes(`\n${name}=${value}\n`))).toEqual(
    [],
  );
  const other = await nx(["run", "-c", "--no-git", 'echo "$VIRTUAL_ENV"'], { VIRTUAL_ENV: "/second" });
  expect(other.stdout).toEndWith("\n/second\n");
});
