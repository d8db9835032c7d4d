import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NX, ROOT, runProgram } from "../support/programs.ts";
import { activate, canInstall, canMakeVenvs, INSTALL_LIMIT_MS, makeVenv } from "../support/python.ts";
import { createWorld, endJobs, type World } from "../support/world.ts";

const PAGE = readFileSync(join(ROOT, "docs", "environments.md"), "utf8");
const JOBRC = "# ~/.nexus/.jobrc\n";

const listExamples = (heading: string): readonly string[] => {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) => text);
};

let world: World;
let folder: string;
let tools: string;

const CONDA = `case "$*" in
"shell.bash hook") echo 'conda() { command conda "$@" && [ "$*" = "activate vision" ] &&
  export CONDA_PREFIX=/opt/conda/envs/vision CONDA_DEFAULT_ENV=vision PATH="/opt/conda/envs/vision/bin:$PATH"; }' ;;
"activate vision") ;;
*) exit 9 ;;
esac`;

const SAY_WORDS = 'printf "%s|" "${0##*/}" "$@"; echo';

const MODULES =
  'module() { [ "$*" = "load cuda/12.4" ] && export CUDA_HOME=/opt/cuda-12.4 PATH="$HOME/cuda/bin:$PATH"; }\n';

const write = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o755 });

beforeAll(async () => {
  world = await createWorld();
  tools = join(world.folder, "tools");
  for (const path of [tools, join(world.home, "cuda", "bin")]) mkdirSync(path, { recursive: true });
  write(join(tools, "nx"), `#!/bin/sh\nexec '${NX}' "$@"\n`);
  write(join(tools, "conda"), `#!/bin/sh\n${CONDA}\n`);
  for (const name of ["apptainer", "docker"]) write(join(tools, name), `#!/bin/bash\n${SAY_WORDS}\n`);
  write(join(world.home, "cuda", "bin", "nvcc"), `#!/bin/bash\n${SAY_WORDS}; echo "$CUDA_HOME"\n`);
  write(join(world.home, "modules.sh"), MODULES);
  await world.startServer({ PATH: `${tools}:${process.env["PATH"]}` });
  folder = mkdtempSync(join(world.folder, "project-"));
  const project = '[project]\nname = "vision"\nversion = "1"\nrequires-python = ">=3.8"\n';
  write(join(folder, "pyproject.toml"), project);
  write(join(folder, ".gitignore"), ".venv\n");
  const names = ["VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "HF_TOKEN"];
  write(
    join(folder, "train.py"),
    `import os, sys\nprint(sys.prefix, *map(os.environ.get, ${JSON.stringify(names)}))\n`,
  );
  await world.git(["init", "--quiet", "--initial-branch=main"], folder);
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
});

afterAll(() => world.dispose());

afterEach(async () => {
  await endJobs(world.url);
  for (const path of [join(world.home, ".nexus"), join(folder, ".venv")])
    rmSync(path, { recursive: true, force: true });
});

const runExample = async (text: string, before = ""): Promise<string> => {
  const path = `${tools}:${process.env["PATH"]}`;
  const env = { ...world.env, PATH: path, UV_CACHE_DIR: join(world.folder, "uv"), UV_PYTHON_DOWNLOADS: "never" };
  const { exitCode, stdout, stderr } = await runProgram(["bash", "-c", `set -e\n${before}\n${text}`], {
    env,
    cwd: folder,
  });
  expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout;
};

const findOne = (heading: string, part = ""): string => {
  const found = listExamples(heading).filter((text) => text.includes(part));
  expect(found).toHaveLength(1);
  return found[0] ?? "";
};

const runWithJobrc = (jobrc: string, command: string): Promise<string> => {
  expect(jobrc).toStartWith(JOBRC);
  mkdirSync(join(world.home, ".nexus"), { recursive: true });
  writeFileSync(join(world.home, ".nexus", ".jobrc"), jobrc.replace("/etc/profile.d/modules.sh", "~/modules.sh"));
  return runExample(command);
};

test("every example is run by a test", () => {
  const told = PAGE.match(/^```sh$/gm)?.length ?? 0;
  const known = [
    "A virtual environment",
    "uv",
    "conda",
    "Modules",
    "A server elsewhere",
    "Containers",
    "Data",
    "Secrets",
  ];
  expect(known.flatMap(listExamples)).toHaveLength(told);
  expect(known.map((heading) => listExamples(heading).length)).toEqual([1, 1, 1, 2, 2, 2, 1, 1]);
});

test.skipIf(!canMakeVenvs)("a virtual environment", async () => {
  const venv = join(folder, ".venv");
  expect(await runExample(findOne("A virtual environment"))).toEndWith(`\n${venv} ${venv} None None\n`);
});

test.skipIf(!canInstall)(
  "uv",
  async () => {
    const { PATH } = activate(makeVenv(join(world.folder, "uv-tools"), ["uv"]));
    const venv = join(folder, ".venv");
    expect(await runExample(findOne("uv"), `PATH='${PATH}':$PATH`)).toEndWith(`\n${venv} ${venv} None None\n`);
  },
  INSTALL_LIMIT_MS,
);

test("conda", async () => {
  const shown = await runExample(findOne("conda"), 'eval "$(conda shell.bash hook)"');
  expect(shown).toMatch(/ None vision None\n$/);
});

test("modules, carried and by jobrc", async () => {
  const loaded = "nvcc|--version|\n/opt/cuda-12.4\n";
  expect(await runExample(findOne("Modules", "--carry"), ". ~/modules.sh")).toEndWith(loaded);
  expect(await runWithJobrc(findOne("Modules", JOBRC), "nx run -c nvcc --version")).toEndWith(loaded);
});

test.skipIf(!canMakeVenvs)("an environment that the jobrc names", async () => {
  const venv = makeVenv(join(world.home, "venvs", "vision"));
  const inVenv = await runWithJobrc(findOne("A server elsewhere", "venvs"), "nx run -c python3 train.py");
  expect(inVenv).toEndWith(`\n${venv} ${venv} None None\n`);
  const inConda = await runWithJobrc(findOne("A server elsewhere", "conda"), "nx run -c python3 train.py");
  expect(inConda).toMatch(/ None vision None\n$/);
});

test("containers", async () => {
  expect(await runExample(findOne("Containers", "apptainer"))).toEndWith(
    "\napptainer|exec|--nv|vision.sif|python3|train.py|\n",
  );
  const docker = await runExample(findOne("Containers", "docker"));
  const user = `${process.getuid?.()}:${process.getgid?.()}`;
  const words = `run|--rm|--init|--user|${user}|--gpus|"device=[^"]+"|-v|[^|]+/repo:/work|-w|/work|vision|python3|train.py`;
  expect(docker).toMatch(new RegExp(`\ndocker\\|${words.replaceAll("|", "\\|")}\\|\n$`));
});

test("data", async () => {
  const data = join(world.folder, "imagenet");
  mkdirSync(join(data, "images"), { recursive: true });
  expect(await runExample(findOne("Data").replace("/data/imagenet", data))).toEndWith("\nimages\n");
});

test("secrets", async () => {
  expect(await runExample(findOne("Secrets"))).toMatch(/ None None hf_example\n$/);
});
