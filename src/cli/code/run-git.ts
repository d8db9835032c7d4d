import { spawn, spawnSync } from "node:child_process";

export type GitOutput = Readonly<{ ok: boolean; text: string; problem: string; status: number | null }>;

const MAX_OUTPUT = 256 * 1024 * 1024;
const SETTINGS = [
  "core.fsmonitor=false",
  "core.fsync=none",
  "core.hooksPath=/dev/null",
  "core.splitIndex=false",
  "core.untrackedCache=keep",
  "advice.addEmbeddedRepo=false",
];
export const GIT_SETTINGS: readonly string[] = SETTINGS.flatMap((setting) => ["-c", setting]);

export const createGitEnvironment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  GIT_OPTIONAL_LOCKS: "0",
  ...more,
});

const describeProblem = (errors: string, status: number | null): string => {
  const lines = errors.trim().split("\n");
  const telling = lines.filter((line) => /^(error|fatal): /.test(line));
  return (telling.length > 0 ? telling.join("; ") : lines.at(-1)) || `git ended with ${status}`;
};

/** Without taking any lock that git can do without, and without running a hook. */
export const runGit = (
  cwd: string,
  args: readonly string[],
  more: Readonly<{ env?: NodeJS.ProcessEnv; input?: string }> = {},
): GitOutput => {
  const child = spawnSync("git", [...GIT_SETTINGS, ...args], {
    cwd,
    env: createGitEnvironment(more.env),
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT,
    input: more.input ?? "",
  });
  const problem = child.error?.message ?? describeProblem(child.stderr, child.status);
  const status = child.error === undefined ? child.status : null;
  return { ok: status === 0, text: (child.stdout ?? "").replace(/\n$/, ""), problem, status };
};

/** For what may take long: ends early at `signal`. What git prints goes to the file descriptor `output`. */
export const startGit = (
  cwd: string,
  args: readonly string[],
  more: Readonly<{ env?: NodeJS.ProcessEnv; output?: number; signal: AbortSignal }>,
): Promise<GitOutput> => {
  const { promise, resolve } = Promise.withResolvers<GitOutput>();
  const stdio = ["ignore" as const, more.output ?? ("ignore" as const), "pipe" as const];
  const child = spawn("git", [...GIT_SETTINGS, ...args], { cwd, env: createGitEnvironment(more.env), stdio });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  more.signal.addEventListener("abort", () => child.kill(), { once: true });
  child.on("error", (error) => resolve({ ok: false, text: "", problem: error.message, status: null }));
  child.on("close", (code) =>
    resolve({ ok: code === 0, text: "", problem: describeProblem(errors, code), status: code }),
  );
  return promise;
};
