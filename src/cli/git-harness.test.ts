import { execFileSync } from "node:child_process";

export const AUTHOR = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.org",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.org",
} as const;

export const gitIn = (cwd: string, ...words: readonly string[]): string =>
  execFileSync("git", ["-c", "protocol.file.allow=always", ...words], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...AUTHOR },
    stdio: ["ignore", "pipe", "pipe"],
  });
