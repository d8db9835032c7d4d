import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { quoteWord } from "../../../src/base/quote-word.ts";
import type { WireJob } from "../../../src/wire/job.ts";
import { canBeOthers } from "../../support/as-user.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { activate, canInstall, canMakeVenvs, INSTALL_LIMIT_MS, makeVenv, runPython } from "../../support/python.ts";
import { DAEMON } from "../../support/thief.ts";
import { createWorld, endJobs, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

afterEach(async () => {
  await endJobs(world.url);
  rmSync(join(world.home, ".nexus"), { recursive: true, force: true });
});

const nx = (words: readonly string[], shell: NodeJS.ProcessEnv = {}, cwd = world.home): Promise<Finished> =>
  runProgram([NX, ...words], { env: { ...world.env, ...shell }, cwd });

const succeed = async (...given: Parameters<typeof nx>): Promise<Finished> => {
  const finished = await nx(...given);
  expect([finished.exitCode, finished.exitCode === 0 ? "" : finished.stderr]).toEqual([0, ""]);
  return finished;
};

const runJob = async (
  verb: readonly string[],
  shell: NodeJS.ProcessEnv = {},
  cwd = world.home,
): Promise<Readonly<{ job: WireJob; log: string; told: string }>> => {
  const [first = "", ...words] = verb;
  const { stdout, stderr } = await succeed([first, "-q", ...words], shell, cwd);
  const job = await world.waitFor(stdout.trim());
  const log = await succeed(["logs", job.id]);
  return { job, log: log.stdout.slice(log.stdout.indexOf("\n") + 1), told: stderr };
};

const SHOW = 'for name in "$@"; do echo "$name=${!name-unset}"; done';

const show = (...names: readonly string[]): readonly string[] => ["bash", "-c", SHOW, "show", ...names];

const here = ["add", "-c", "--no-git"];

const CONDA = { CONDA_PREFIX: "/opt/conda/envs/x", CONDA_DEFAULT_ENV: "x", PATH: `/opt/x/bin:${process.env["PATH"]}` };

describe("a job sees the environment that is active where it is sent", () => {
  test.skipIf(!canMakeVenvs)("so that its Python is that of the virtual environment", async () => {
    const venv = makeVenv(join(world.folder, "venv-plain"));
    const code = ["python3", "-c", "import sys; print(sys.prefix)"];
    const { job, log } = await runJob([...here, ...code], activate(venv));
    expect(log).toContain(`${venv}\n`);
    expect(job.carried_names).toEqual(["PATH", "VIRTUAL_ENV"]);
    const shown = (await succeed(["get", job.id])).stdout;
    expect(shown).toMatch(/^carried +PATH VIRTUAL_ENV$/m);
    expect((await runJob([...here, ...code])).log).not.toContain(venv);
    const run = await nx(["run", "-c", "--no-git", ...code], activate(venv));
    expect(run.stdout).toEndWith(`${venv}\n`);
  });

  test("or that of conda, with all that conda says of itself", async () => {
    const shell = { ...CONDA, CONDA_SHLVL: "2", LD_LIBRARY_PATH: "/opt/x/lib", HF_TOKEN: "secret", RANK: "3" };
    const names = ["CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", "LD_LIBRARY_PATH", "HF_TOKEN", "RANK"];
    const { job, log } = await runJob([...here, ...show(...names, "PATH")], shell);
    expect(log).toBe(
      `CONDA_PREFIX=${CONDA.CONDA_PREFIX}\nCONDA_DEFAULT_ENV=x\nCONDA_SHLVL=2\nLD_LIBRARY_PATH=/opt/x/lib\nHF_TOKEN=unset\nRANK=unset\nPATH=${CONDA.PATH}\n`,
    );
    expect(job.carried_names).toContain("CONDA_SHLVL");
  });

  test("and nothing of the shell where none is active, or none is to be carried", async () => {
    const plain = { LD_LIBRARY_PATH: "/x", PYTHONPATH: "/y", CONDA_SHLVL: "0" };
    const names = ["LD_LIBRARY_PATH", "PYTHONPATH", "CONDA_SHLVL", "CONDA_PREFIX"];
    const none = names.map((name) => `${name}=unset\n`).join("");
    const first = await runJob([...here, ...show(...names)], plain);
    expect([first.log, first.job.carried_names, first.job.env_names]).toEqual([none, [], []]);
    const shell = { ...plain, ...CONDA };
    expect((await runJob([...here, "--carry", "none", ...show(...names)], shell)).log).toBe(none);
    mkdirSync(join(world.home, ".nexus"));
    writeFileSync(join(world.home, ".nexus", "config.toml"), 'carry_environment = "none"\n');
    expect((await runJob([...here, ...show(...names)], shell)).log).toBe(none);
    expect((await runJob([...here, "--carry", "activated", ...show("CONDA_PREFIX")], shell)).log).toContain(
      "/opt/conda",
    );
  });

  test("with all of the shell where that is asked for, but for what belongs to one place", async () => {
    const kept = { HF_TOKEN: "hf_secretsecretsecret", LORA_RANK: "8", MY_FLAG: "a b\n'c'" };
    const never = { RANK: "1", GIT_DIR: "/x", SLURM_JOB_ID: "7", TMUX: "/t", MASTER_PORT: "1", NEXUS_TARGET: "local" };
    const names = [...Object.keys(kept), ...Object.keys(never), "CUDA_VISIBLE_DEVICES"];
    const shell = { ...kept, ...never, CUDA_VISIBLE_DEVICES: "5", NEXUS_CARRY_ENVIRONMENT: "all" };
    const { job, log } = await runJob([...here, ...show(...names)], shell);
    expect(log).toStartWith(
      "HF_TOKEN=hf_secretsecretsecret\nLORA_RANK=8\nMY_FLAG=a b\n'c'\nRANK=unset\nGIT_DIR=unset\n",
    );
    expect(log).toEndWith("NEXUS_TARGET=unset\nCUDA_VISIBLE_DEVICES=\n");
    expect(job.carried_names).toContain("HF_TOKEN");
    const raw = await (await fetch(`${world.url}/v1/jobs/${job.id}`)).text();
    expect(raw).not.toContain("hf_secret");
    expect((await runJob([...here, "--carry=all", ...show("HF_TOKEN")], kept)).log).toBe(
      "HF_TOKEN=hf_secretsecretsecret\n",
    );
  });

  test("values are sealed and masked as those of -e are", async () => {
    const shell = { ...CONDA, CONDA_PROMPT_MODIFIER: "sealedsealedsealed" };
    const added = (await succeed(["add", "-q", "-c", "--no-git", "sleep", "60"], shell)).stdout.trim();
    const running = await world.waitFor(added, ["running"]);
    expect(running.env["CONDA_PROMPT_MODIFIER"]).toMatch(/^\*+$/);
    for (const file of [
      "jobs.db",
      "jobs.db-wal",
      join("jobs", added, "job_commands.sh"),
      join("jobs", added, "launch"),
    ])
      expect(readIfThere(join(world.folder, "server", file))).not.toContain("sealedsealed");
    await succeed(["kill", "-y", added]);
    expect((await world.waitFor(added)).env).toEqual({});
  });

  test("and later sources win: the files, then the flags", async () => {
    mkdirSync(join(world.home, ".nexus"));
    writeFileSync(join(world.home, ".nexus", ".env"), "CONDA_SHLVL=file\nCONDA_EXE=file\nPATH=/added:${PATH}\n");
    const shell = { ...CONDA, CONDA_SHLVL: "shell", CONDA_EXE: "shell", CONDA_ROOT: "shell" };
    const names = ["CONDA_SHLVL", "CONDA_EXE", "CONDA_ROOT", "PATH"];
    const { job, log, told } = await runJob([...here, "-e", "CONDA_EXE=flag", ...show(...names)], shell);
    expect(log).toBe(`CONDA_SHLVL=file\nCONDA_EXE=flag\nCONDA_ROOT=shell\nPATH=/added:${CONDA.PATH}\n`);
    expect(job.carried_names).toEqual(["CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CONDA_ROOT"]);
    expect(told).toContain("Overridden variables: ");
  });

  test.each([
    [["--carry", "some"], 2, "--carry must be one of activated, all, none"],
    [["--carry"], 2, "--carry needs a value"],
  ])("%p is refused", async (flags, exitCode, message) => {
    const refused = await nx(["add", ...flags]);
    expect([refused.exitCode, refused.stderr]).toEqual([exitCode, expect.stringContaining(message)]);
  });

  test("a setting that is none is refused, wherever it is", async () => {
    const message = "is one of: activated, all, none";
    const refused = await nx([...here, "true"], { NEXUS_CARRY_ENVIRONMENT: "all,none" });
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining(`NEXUS_CARRY_ENVIRONMENT ${message}`),
    ]);
    mkdirSync(join(world.home, ".nexus"));
    writeFileSync(join(world.home, ".nexus", "config.toml"), "user = 'x'\ncarry_environment = true\n");
    const other = await nx([...here, "true"]);
    expect([other.exitCode, other.stderr]).toEqual([
      2,
      expect.stringContaining(`line 2: carry_environment ${message}`),
    ]);
  });
});

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

describe("nx redo", () => {
  const NAMES = ["CONDA_PREFIX", "CONDA_SHLVL"];

  const runFirst = async (): Promise<WireJob> =>
    (await runJob([...here, ...show(...NAMES)], { ...CONDA, CONDA_SHLVL: "1" })).job;

  test("takes what was carried from the shell of now", async () => {
    const { id } = await runFirst();
    const now = { ...CONDA, CONDA_PREFIX: "/opt/now", CONDA_SHLVL: "2", CONDA_NEW: "x" };
    const again = await runJob(["redo", id], now);
    expect(again.log).toBe("CONDA_PREFIX=/opt/now\nCONDA_SHLVL=2\n");
    expect(again.job.carried_names).toEqual(["CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CONDA_SHLVL", "PATH"]);
    const flags = ["-e", "CONDA_SHLVL=mine", "--carry", "activated"];
    const given = await runJob(["redo", ...flags, id], now);
    expect(given.log).toBe("CONDA_PREFIX=/opt/now\nCONDA_SHLVL=mine\n");
    expect(given.job.env_names).toContain("CONDA_NEW");
    const less = await runJob(["redo", "--carry", "activated", "--without", "CONDA_SHLVL", id], now);
    expect(less.log).toBe("CONDA_PREFIX=/opt/now\nCONDA_SHLVL=unset\n");
  });

  test("submits nothing where that has no value now, unless it is left out", async () => {
    const { id } = await runFirst();
    const refused = await nx(["redo", id]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(
      `job ${id} had the variables CONDA_DEFAULT_ENV, CONDA_PREFIX, CONDA_SHLVL, PATH of the shell that sent it`,
    );
    const without = await runJob(["redo", "--carry", "none", id]);
    expect([without.log, without.job.env_names]).toEqual(["CONDA_PREFIX=unset\nCONDA_SHLVL=unset\n", []]);
    const less = await nx(["redo", id], CONDA);
    expect([less.exitCode, less.stderr]).toEqual([2, expect.stringContaining("the variable CONDA_SHLVL of the shell")]);
    expect((await runJob(["redo", "--without", "CONDA_SHLVL", id], CONDA)).log).toContain("CONDA_SHLVL=unset");
  });

  test("carries nothing for a job that had nothing of a shell, and all for one that had all", async () => {
    const plain = await runJob([...here, ...show("CONDA_PREFIX")]);
    expect((await runJob(["redo", plain.job.id], CONDA)).log).toBe("CONDA_PREFIX=unset\n");
    const all = await runJob([...here, "--carry", "all", "-e", "TOKEN=x", ...show("MINE", "TOKEN")], { MINE: "1" });
    const again = await runJob(["redo", "-e", "TOKEN=y", all.job.id], { MINE: "2" });
    expect(again.log).toBe("MINE=2\nTOKEN=y\n");
    const refused = await nx(["redo", "-e", "TOKEN=y", all.job.id]);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("MINE")]);
  });
});

describe("to a server that is not one's own on this machine", () => {
  const dryRun = async (target: string, shell: NodeJS.ProcessEnv, flags: readonly string[] = []) => {
    const { stdout, stderr } = await succeed(
      ["-t", target, "add", "--dry-run", ...flags, ...here.slice(1), "x"],
      shell,
    );
    const [request] = JSON.parse(stdout);
    return { env: request.env, carried: request.carried_names, root: request.code_root, told: stderr };
  };

  const nothing = { env: [], carried: undefined, root: undefined };

  const writeTarget = (text: string): void => {
    mkdirSync(join(world.home, ".nexus"), { recursive: true });
    writeFileSync(join(world.home, ".nexus", "config.toml"), `[targets.far]\n${text}`);
  };

  test.each(['protocol = "ssh"\nhost = "box"\n', 'host = "127.0.0.1"\n'])(
    "nothing travels, and an active environment is told of: %p",
    async (text) => {
      writeTarget(text);
      const told = await dryRun("far", CONDA);
      expect(told).toMatchObject(nothing);
      expect(told.told).toBe(
        'The active environment (/opt/conda/envs/x) is not there on "far": name one with nx jobrc edit, or in .nexus.toml\n',
      );
      expect(await dryRun("far", { PYTHONPATH: "/x" })).toEqual({ ...nothing, told: "" });
      expect(await dryRun("far", CONDA, ["--carry", "none"])).toEqual({ ...nothing, told: "" });
      expect((await dryRun("far", { HF_TOKEN: "x" }, ["--carry", "all"])).told).toContain(
        "Nothing of this shell travels",
      );
    },
  );

  test.skipIf(!canBeOthers)("nor where another user listens at a port of this machine", async () => {
    const others = await createWorld(DAEMON);
    try {
      await others.startServer();
      writeTarget(`protocol = "http"\nhost = "127.0.0.1"\nport = ${new URL(others.url).port}\nlistener = "any"\n`);
      const told = await dryRun("far", CONDA);
      expect(told).toMatchObject(nothing);
      expect(told.told).toContain("is not there");
      const sent = await succeed(["-t", "far", "add", "-q", "-c", "--no-git", "true"], CONDA);
      expect((await others.waitFor(sent.stdout.trim())).env_names).toEqual([]);
    } finally {
      await others.dispose();
    }
  });
});

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

const makeRepository = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const folder = mkdtempSync(join(world.folder, "project-"));
  for (const [path, text] of Object.entries(files)) write(join(folder, path), text);
  await world.git(["init", "--quiet", "--initial-branch=main"], folder);
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
  return folder;
};

const SAY = "WHERE = __file__\n";

const importing = (...modules: readonly string[]): readonly string[] => [
  ...["python3", "-c"],
  `import ${modules.join(", ")}; print(*(m.WHERE for m in (${modules.join(", ")},)), sep="\\n")`,
];

const code = ["add", "-c"];

describe.skipIf(!canMakeVenvs)("a job imports what was sent", () => {
  let venv: string;

  beforeAll(() => {
    venv = makeVenv(join(world.folder, "venv-imports"));
  });

  const copyOf = (job: WireJob, path: string): string => `${job.dir}/repo/${path}\n`;

  test("by the entries of PYTHONPATH in the folder that travels: absolute, relative and empty ones", async () => {
    const files = { "one/a.py": SAY, "two/b.py": SAY, "sub/c.py": SAY, "sub/own/d.py": SAY, ".gitignore": "own/\n" };
    const folder = await makeRepository(files);
    write(join(world.folder, "outside", "e.py"), SAY);
    const imports = `${folder}/one:../two::own:${world.folder}/outside`;
    const shell = { ...activate(venv), PYTHONPATH: imports };
    const { job, log } = await runJob(
      [...code, `cd / && ${importing("a", "b", "c", "d", "e").map(quoteWord).join(" ")}`],
      shell,
      join(folder, "sub"),
    );
    expect(log).toBe(
      [
        ...["one/a.py", "two/b.py", "sub/c.py"].map((path) => copyOf(job, path)),
        `${folder}/sub/own/d.py\n`,
        `${world.folder}/outside/e.py\n`,
      ].join(""),
    );
  });

  test("also where the entry is given by hand, and not where no code is sent", async () => {
    const folder = await makeRepository({ "one/a.py": SAY });
    const flags = ["-e", `PYTHONPATH=${folder}/one`];
    const sent = await runJob([...code, ...flags, ...importing("a")], {}, folder);
    expect(sent.log).toBe(copyOf(sent.job, "one/a.py"));
    const shell = { ...activate(venv), PYTHONPATH: "one" };
    expect((await runJob([...here, ...importing("a")], shell, folder)).log).toBe(`${folder}/one/a.py\n`);
  });

  const expectCopy = async (folder: string, own: string, path: string): Promise<WireJob> => {
    const { job, log, told } = await runJob([...code, ...importing("pk")], activate(own), folder);
    expect(log).toBe(copyOf(job, path));
    expect(told).toContain(`This code is installed as editable in ${own}: the job imports what was sent of it (`);
    const again = await runJob(["redo", job.id], activate(own), world.home);
    expect(again.log).toBe(copyOf(again.job, path));
    expect(again.job.carried_names).toEqual(["PATH", "PYTHONPATH", "VIRTUAL_ENV"]);
    return job;
  };

  test(
    "where the environment has it as editable by setup.py develop",
    async () => {
      const setup = 'from setuptools import setup\nsetup(name="pk", version="1", packages=["pk"])\n';
      const folder = await makeRepository({ "setup.py": setup, "pk/__init__.py": SAY, ".gitignore": "*.egg-info\n" });
      const own = makeVenv(join(world.folder, "venv-develop"), []);
      runPython(own, ["-m", "ensurepip"], "/");
      runPython(own, ["setup.py", "--quiet", "develop", "--no-deps"], folder);
      await expectCopy(folder, own, "pk/__init__.py");
    },
    INSTALL_LIMIT_MS,
  );

  const BUILD = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n';

  test.skipIf(!canInstall)(
    "or by pip, in src or by a finder",
    async () => {
      const own = makeVenv(join(world.folder, "venv-pip"), ["setuptools", "wheel"]);
      const install = ["-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "-e", "."];
      const project = `${BUILD}[project]\nname = "pk"\nversion = "1"\n`;
      const ignored = { ".gitignore": "*.egg-info\n*.so\n" };
      const inSrc = await makeRepository({ "pyproject.toml": project, "src/pk/__init__.py": SAY, ...ignored });
      runPython(own, install, inSrc);
      await expectCopy(inSrc, own, "src/pk/__init__.py");
      const packages = `${project}[tool.setuptools]\npackages = ["pk"]\n`;
      const flat = await makeRepository({
        "pyproject.toml": packages,
        "pk/__init__.py": SAY,
        "other/x.py": "",
        ...ignored,
      });
      runPython(own, install, flat);
      await expectCopy(flat, own, "pk/__init__.py");
      writeFileSync(join(flat, "pk", "_fast.cpython-311.so"), "");
      const { told } = await runJob([...code, ...importing("pk")], activate(own), flat);
      expect(told).toContain("Warning: git ignores pk/_fast.cpython-311.so, so the job can't import it");
    },
    INSTALL_LIMIT_MS,
  );

  test.skipIf(!canInstall)(
    "or by uv, with the environment in the project's folder",
    async () => {
      const tools = makeVenv(join(world.folder, "venv-uv"), ["uv"]);
      const build = '[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n';
      const project = `[project]\nname = "pk"\nversion = "1"\nrequires-python = ">=3.8"\n${build}`;
      const folder = await makeRepository({
        "pyproject.toml": project,
        "src/pk/__init__.py": SAY,
        ".gitignore": ".venv\n",
      });
      const env = {
        ...process.env,
        ...activate(tools),
        VIRTUAL_ENV: undefined,
        UV_CACHE_DIR: join(world.folder, "uv"),
      };
      const synced = await runProgram(["uv", "sync", "--quiet", "--no-python-downloads"], { env, cwd: folder });
      expect([synced.exitCode, synced.stderr]).toEqual([0, ""]);
      await expectCopy(folder, join(folder, ".venv"), "src/pk/__init__.py");
    },
    INSTALL_LIMIT_MS,
  );
});
