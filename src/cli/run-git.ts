import { spawnSync } from "node:child_process";

export type GitOutput = Readonly<{ ok: boolean; text: string; problem: string }>;

const MAX_OUTPUT = 256 * 1024 * 1024;
const SETTINGS = ["core.fsmonitor=false", "core.untrackedCache=keep", "advice.addEmbeddedRepo=false"];

const describeProblem = (errors: string, status: number | null): string => {
  const lines = errors.trim().split("\n");
  const telling = lines.filter((line) => /^(error|fatal): /.test(line));
  return (telling.length > 0 ? telling.join("; ") : lines.at(-1)) || `git ended with ${status}`;
};

/** Without taking any lock that git can do without. */
export const runGit = (
  cwd: string,
  args: readonly string[],
  more: Readonly<{ env?: NodeJS.ProcessEnv; input?: string }> = {},
): GitOutput => {
  const child = spawnSync("git", [...SETTINGS.flatMap((setting) => ["-c", setting]), ...args], {
    cwd,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", ...more.env },
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT,
    input: more.input ?? "",
  });
  const problem = child.error?.message ?? describeProblem(child.stderr, child.status);
  return { ok: child.status === 0, text: (child.stdout ?? "").replace(/\n$/, ""), problem };
};
