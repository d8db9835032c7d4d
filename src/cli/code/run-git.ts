import { spawnSync } from "node:child_process";
import { describeError } from "../../base/describe-error.ts";

/** `problem` is what `errors` come to, in a line. */
export type GitOutput = Readonly<{
  ok: boolean;
  text: string;
  problem: string;
  errors: string;
  status: number | null;
}>;

const MAX_OUTPUT = 256 * 1024 * 1024;
const SETTINGS = [
  "core.fsmonitor=false",
  "core.fsync=none",
  "core.hooksPath=/dev/null",
  "core.ignoreStat=false",
  "core.splitIndex=false",
  "core.untrackedCache=keep",
  "advice.addEmbeddedRepo=false",
];
const BYTE_SETTINGS = [
  "core.attributesFile=/dev/null",
  "core.autocrlf=false",
  "core.checkStat=default",
  "core.eol=lf",
  "core.fileMode=true",
  "core.ignoreCase=false",
  "core.protectHFS=false",
  "core.protectNTFS=false",
  "core.safecrlf=false",
  "core.sparseCheckout=false",
  "core.symlinks=true",
  "core.trustctime=true",
  "tar.umask=0002",
];
const asWords = (settings: readonly string[]): readonly string[] => settings.flatMap((setting) => ["-c", setting]);

export const GIT_SETTINGS: readonly string[] = asWords(SETTINGS);

/** Before the command, for git in a repository of our own that is to change no byte, mode or name, whatever the user's settings say. */
export const AS_BYTES: readonly string[] = asWords(BYTE_SETTINGS);

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

const PLAIN = /^[ -~]*$/;

/** Of a name as git gives it with `latin1`, a character for each byte; a string where it can be one, which is quicker. */
export const findPath = (top: string, name: string): string | Buffer =>
  PLAIN.test(name) ? `${top}/${name}` : Buffer.concat([Buffer.from(`${top}/`), Buffer.from(name, "latin1")]);

/** The same as text. */
export const readName = (name: string): string => Buffer.from(name, "latin1").toString();

/** The names that git ended with a NUL each. */
export const splitNames = (text: string): readonly string[] => text.split("\0").filter((name) => name !== "");

/** Without taking any lock that git can do without, and without running a hook. */
export const runGit = (
  cwd: string,
  args: readonly string[],
  more: Readonly<{ env?: NodeJS.ProcessEnv; input?: string; encoding?: "utf8" | "latin1" }> = {},
): GitOutput => {
  const encoding = more.encoding ?? "utf8";
  const child = spawnSync("git", [...GIT_SETTINGS, ...args], {
    cwd,
    env: createGitEnvironment(more.env),
    encoding,
    maxBuffer: MAX_OUTPUT,
    input: Buffer.from(more.input ?? "", encoding),
  });
  const errors = child.stderr ?? "";
  const problem = child.error?.message ?? describeProblem(errors, child.status);
  const status = child.error === undefined ? child.status : null;
  return { ok: status === 0, text: (child.stdout ?? "").replace(/\n$/, ""), problem, errors, status };
};

const readBytes = async (stream: unknown): Promise<Buffer> =>
  stream instanceof ReadableStream ? Buffer.from(await new Response(stream).arrayBuffer()) : Buffer.alloc(0);

type Started = Readonly<{ env?: NodeJS.ProcessEnv; input?: string; output?: number; signal: AbortSignal }>;

const finishGit = async (cwd: string, args: readonly string[], more: Started): Promise<GitOutput> => {
  const child = Bun.spawn(["git", ...GIT_SETTINGS, ...args], {
    cwd,
    env: createGitEnvironment(more.env),
    stdin: Buffer.from(more.input ?? "", "latin1"),
    stdout: more.output ?? "pipe",
    stderr: "pipe",
    signal: more.signal,
  });
  const [text, told] = await Promise.all([readBytes(child.stdout), readBytes(child.stderr), child.exited]);
  const [errors, status] = [told.toString(), child.exitCode];
  const problem = describeProblem(errors, status);
  return { ok: status === 0, text: text.toString("latin1"), problem, errors, status };
};

/**
 * For what may take long: ends early at `signal`. `input` and text have a character for each byte. The streams of `node:child_process` take 14 ms
 * to load.
 */
export const startGit = async (cwd: string, args: readonly string[], more: Started): Promise<GitOutput> => {
  try {
    return await finishGit(cwd, args, more);
  } catch (error) {
    return { ok: false, text: "", problem: describeError(error), errors: "", status: null };
  }
};
