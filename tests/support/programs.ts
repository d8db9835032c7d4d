import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Finished = Readonly<{
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}>;

export const ROOT: string = join(import.meta.dirname, "..", "..");
export const NX: string = join(ROOT, "nx");
export const FIXTURES: string = join(ROOT, "tests", "fixtures");
export const NEXUS_SERVER: string = join(ROOT, "nexus-server");
export const SERVER: readonly [string, ...string[]] = [process.execPath, join(ROOT, "src", "server", "main.ts")];

export const runProgram = (
  argv: readonly string[],
  options: Readonly<{ env: NodeJS.ProcessEnv; cwd: string }>,
): Promise<Finished> => {
  const { promise, resolve } = Promise.withResolvers<Finished>();
  const child = spawn(argv[0] ?? "", argv.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  return promise;
};

export const stopChild = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill(signal);
  await promise;
};

const readEnvironmentOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
};

/** The pids of all live processes that have this `NAME=VALUE` in their environment. */
export const listProcessesWith = (setting: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readEnvironmentOf(pid).includes(setting));

export const killProcess = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return;
  }
};
