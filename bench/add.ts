import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatMs, formatRatio, makeFolder, median, NX, printFigure, startServer, timeInTurn } from "./harness.ts";

const ROUNDS = 40;
const FOLDERS = 100;
const FILES_EACH = 50;
const LINES_EACH = 500;
const CHANGED = 5;
const COMPILED_NX = join(NX, "..", ".compiled", "nx");
const CLOCK_TICK_MS = 1100;

const runGit = (cwd: string, ...words: readonly string[]): void => {
  const own = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  execFileSync("git", [...own, ...words], { cwd, env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } });
};

const makeRepository = async (folder: string): Promise<void> => {
  for (let place = 0; place < FOLDERS * FILES_EACH; place++) {
    const inside = join(folder, `package${place % FOLDERS}`);
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `module${place}.py`), `x = ${place}\n`.repeat(LINES_EACH));
  }
  runGit(folder, "init", "--quiet");
  runGit(folder, "add", "--all");
  runGit(folder, "commit", "--quiet", "-m", "one");
  await Bun.sleep(CLOCK_TICK_MS);
  runGit(folder, "status");
};

const changeSome = (folder: string): void => {
  for (let place = 0; place < CHANGED; place++) {
    appendFileSync(join(folder, `package${place}`, `module${place}.py`), "changed\n");
    writeFileSync(join(folder, `new${place}.py`), "new\n");
  }
};

const compare = (what: string, cwd: string, env: NodeJS.ProcessEnv): void => {
  const add = [COMPILED_NX, "add", "-c", "python3", "package1/module1.py"];
  execFileSync(COMPILED_NX, add.slice(1), { cwd, env, stdio: "ignore" });
  const runs = timeInTurn([add, ["git", "status"]], { env, cwd }, ROUNDS);
  const [added = Number.NaN, status = Number.NaN] = runs.map((some) => median(some.map(({ ms }) => ms)));
  const [busyAdding = Number.NaN, busyLooking = Number.NaN] = runs.map((some) =>
    median(some.map(({ cpuMs }) => cpuMs)),
  );
  printFigure(`nx add, ${what}`, formatMs(added), formatRatio(added, status, "git status"));
  printFigure("  processor time, with git's", formatMs(busyAdding), formatRatio(busyAdding, busyLooking, "git status"));
};

export const benchAdd = async (): Promise<void> => {
  const server = await startServer({ NS_MAX_CPU_JOBS: "0" });
  const folder = makeFolder();
  try {
    execFileSync(NX, ["version"], { env: server.env });
    await makeRepository(folder);
    compare("5 000 files, each object by itself", folder, server.env);
    runGit(folder, "gc", "--quiet");
    compare("packed as in a clone", folder, server.env);
    changeSome(folder);
    compare(`${CHANGED} of them changed, ${CHANGED} new`, folder, server.env);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};
