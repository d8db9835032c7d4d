import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { killProcess } from "../support/programs.ts";
import { blockUntil } from "../support/wait.ts";

/** `output` is what it printed, errors included. */
export type Outcome = Readonly<{ kind: "passed" | "failed" | "timed out"; ms: number; output: string }>;

/** A copy of a tree. Whatever a program started there, mounted or left in its temporary folder and home ends with `run`. */
export type Workplace = Readonly<{
  read: (path: string) => string;
  write: (path: string, text: string) => void;
  remove: (path: string) => void;
  run: (argv: readonly [string, ...string[]], limitMs: number) => Promise<Outcome>;
  dispose: () => void;
}>;

const FOR_ALL = 0o1777;
const SET_UP_MARK = ".nexus-setup";

/** What git tracks or would, as it is now. */
export const listFiles = (root: string): readonly string[] =>
  execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)));

const linkPackages = (from: string, to: string): void => {
  if (spawnSync("cp", ["-al", `${from}/.`, to]).status !== 0) execFileSync("cp", ["-a", `${from}/.`, to]);
  rmSync(join(to, SET_UP_MARK), { force: true });
  writeFileSync(join(to, SET_UP_MARK), "");
};

const copyTree = (root: string, tree: string): void => {
  for (const path of listFiles(root)) cpSync(join(root, path), join(tree, path), { preserveTimestamps: true });
  if (existsSync(join(root, "node_modules"))) linkPackages(join(root, "node_modules"), join(tree, "node_modules"));
};

const readOrNothing = (read: () => string): string => {
  try {
    return read();
  } catch {
    return "";
  }
};

const isOf = (folder: string, pid: string): boolean =>
  `${readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`))}/`.startsWith(`${folder}/`) ||
  ["environ", "cmdline"].some((name) =>
    readOrNothing(() => readFileSync(`/proc/${pid}/${name}`, "latin1")).includes(`${folder}/`),
  );

const listProcesses = (folder: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOf(folder, name))
    .map(Number);

const endProcesses = (folder: string): void =>
  blockUntil(() => {
    const left = listProcesses(folder);
    for (const pid of left) killProcess(pid);
    return left.length === 0;
  });

const unmountAll = (folder: string): void => {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  for (const mount of mounts.flatMap((line) => line.split(" ")[4] ?? []).toReversed())
    if (mount.startsWith(`${folder}/`)) spawnSync("umount", ["--lazy", mount]);
};

const removeFolder = (path: string): void => {
  rmSync(path, { recursive: true, force: true });
};

const makeFolder = (path: string): string => {
  mkdirSync(path);
  chmodSync(path, FOR_ALL);
  return path;
};

export const createWorkplace = (root: string, folder: string): Workplace => {
  const tree = join(folder, "tree");
  const [temporary, home, log] = [join(folder, "t"), join(folder, "h"), join(folder, "output")];
  mkdirSync(folder);
  copyTree(root, tree);

  const clear = (): void => {
    endProcesses(folder);
    unmountAll(folder);
    for (const path of [temporary, home]) removeFolder(path);
  };

  const start = (argv: readonly [string, ...string[]]): Promise<number | null> => {
    const env = { ...process.env, TMPDIR: makeFolder(temporary), HOME: makeFolder(home), NO_COLOR: "1" };
    const output = openSync(log, "w");
    const child = spawn(argv[0], argv.slice(1), { cwd: tree, env, detached: true, stdio: ["ignore", output, output] });
    closeSync(output);
    return new Promise((resolve, reject) => child.on("exit", resolve).on("error", reject));
  };

  const run: Workplace["run"] = async (argv, limitMs) => {
    const startedAt = performance.now();
    const exit = start(argv);
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      endProcesses(folder);
    }, limitMs);
    const exitCode = await exit.finally(() => clearTimeout(limit));
    const ms = performance.now() - startedAt;
    clear();
    const kind = isLate ? "timed out" : exitCode === 0 ? "passed" : "failed";
    return { kind, ms, output: readFileSync(log, "utf8") };
  };

  return {
    read: (path) => readFileSync(join(tree, path), "utf8"),
    write: (path, text) => writeFileSync(join(tree, path), text),
    remove: (path) => rmSync(join(tree, path)),
    run,
    dispose: () => {
      clear();
      removeFolder(folder);
    },
  };
};
