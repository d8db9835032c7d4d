import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { createGitEnvironment, GIT_SETTINGS } from "./run-git.ts";

/** `isLate`: it was ended, as it took longer than it may. */
export type LoneOutput = Readonly<{ ok: boolean; text: string; errors: string; isLate: boolean }>;

const GRACE_MS = 2000;

const signalGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    return;
  }
};

const endGroup = (pid: number | undefined): void => {
  signalGroup(pid, "SIGTERM");
  setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MS).unref();
};

type Limits = Readonly<{ env: NodeJS.ProcessEnv; limitMs: number; signal?: AbortSignal }>;

const collectText = (stream: Readable): (() => string) => {
  const pieces: string[] = [];
  stream.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
  return () => pieces.join("");
};

const guardChild = (child: ChildProcess, { limitMs, signal }: Limits): (() => boolean) => {
  let isLate = false;
  const stop = (): void => endGroup(child.pid);
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, limitMs);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    return isLate;
  };
};

/**
 * For git that talks to another machine: in a session of its own, where neither it nor a program that it starts finds a
 * terminal to ask at, and ended with all of them at `signal` or after `limitMs`.
 */
export const runGitAlone = (cwd: string, args: readonly string[], limits: Limits): Promise<LoneOutput> => {
  const { promise, resolve } = Promise.withResolvers<LoneOutput>();
  const env = createGitEnvironment(limits.env);
  const child = spawn("git", [...GIT_SETTINGS, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [readText, readErrors] = [collectText(child.stdout), collectText(child.stderr)];
  const letGo = guardChild(child, limits);
  child.on("error", ({ message }) => resolve({ ok: false, text: "", errors: message, isLate: letGo() }));
  child.on("close", (code) => resolve({ ok: code === 0, text: readText(), errors: readErrors(), isLate: letGo() }));
  return promise;
};
