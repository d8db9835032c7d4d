import { basename } from "node:path";
import type { GitTag } from "./git-tags.ts";
import { runGit } from "./run-git.ts";
import { type LoneOutput, runGitAlone } from "./run-git-alone.ts";
import type { Workshop } from "./snapshot-folder.ts";

/** `problem` is why some or all are not among the pushed, null when all are. */
export type Pushed = Readonly<{ names: readonly string[]; problem: string | null }>;

const LIMIT_MS = 60_000;
const LIMIT_PER_TAG_MS = 20;
const SSH_WORDS = "-o BatchMode=yes -o ConnectTimeout=10";
const NO_EXTRAS = ["--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"];

const readSetting = (top: string, name: string): string | null => {
  const asked = runGit(top, ["config", "--get-all", name]);
  return asked.ok ? (asked.text.split("\n")[0] ?? null) : null;
};

const findRemote = (top: string): string | null =>
  readSetting(top, "remote.origin.pushurl") ?? readSetting(top, "remote.origin.url");

const isSsh = (command: string): boolean => basename(command.split(" ")[0] ?? "") === "ssh";

const askNothing = (top: string): NodeJS.ProcessEnv => {
  const ssh = process.env["GIT_SSH_COMMAND"] ?? readSetting(top, "core.sshCommand") ?? "ssh";
  const isOwn = process.env["GIT_SSH"] !== undefined || !isSsh(ssh);
  return {
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: process.env["GIT_ASKPASS"] ?? "",
    GCM_INTERACTIVE: "never",
    ...(isOwn ? {} : { GIT_SSH_COMMAND: `${ssh} ${SSH_WORDS}` }),
  };
};

const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/does not appear to be a git repository|repository .*not found|does not exist/i, "there is no such repository"],
  [
    /permission denied|authentication failed|access denied|could not read (username|password)|\b40[13]\b|host key/i,
    "no permission",
  ],
  [
    /could not resolve|timed out|connection refused|unreachable|no route to host|failed to connect|not known/i,
    "the remote can't be reached",
  ],
];

const hideCredentials = (text: string): string => text.replaceAll(/(\w+:\/\/)[^/@\s]*@/g, "$1");

const explainRefusal = (lines: readonly string[]): string | null => {
  const refused = lines
    .find((line) => line.startsWith("!\t"))
    ?.split("\t")
    .at(-1);
  if (refused === undefined) return null;
  const said = lines.find((line) => /^remote: ./.test(line))?.replace("remote: ", "");
  return `the remote refuses it: ${said === undefined ? refused : `${said} ${refused}`}`;
};

const explainFailure = (lines: readonly string[]): string => {
  for (const [pattern, cause] of CAUSES) {
    const line = lines.find((candidate) => pattern.test(candidate));
    if (line !== undefined) return `${cause}: ${line}`;
  }
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? lines[0] ?? "git gave no reason";
};

const explain = ({ text, errors, isLate }: LoneOutput, limitMs: number): string => {
  if (isLate) return `it took longer than ${(limitMs / 1000).toFixed(0)} s`;
  const lines = `${errors}\n${text}`.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  return hideCredentials(explainRefusal(lines) ?? explainFailure(lines));
};

const listPushed = (text: string): readonly string[] =>
  text.split("\n").flatMap((line) => /^[*=]\t.*:refs\/tags\/([^\t]+)\t/.exec(line)?.[1] ?? []);

const push = (
  top: string,
  refs: readonly string[],
  more: Readonly<{ env: NodeJS.ProcessEnv; limitMs: number; signal?: AbortSignal }>,
): Promise<LoneOutput> | null => {
  const remote = findRemote(top);
  if (remote === null) return null;
  const words = ["push", "--porcelain", ...NO_EXTRAS, "--", remote, ...refs];
  return runGitAlone(top, words, { ...more, env: { ...more.env, ...askNothing(top) } });
};

/**
 * In one push, without asking anything. By the address and not by the remote's name, so that no setting of the remote
 * makes git write a reference of the user's.
 */
export const pushTags = async (
  { repository, env, keep }: Workshop,
  tags: readonly GitTag[],
  limitMs = LIMIT_MS + LIMIT_PER_TAG_MS * tags.length,
): Promise<Pushed> => {
  const refs = tags.map(({ name, object }) => `${object}:refs/tags/${name}`);
  const output = await keep(async (signal) => push(repository.top, refs, { env, limitMs, signal }));
  if (output === null) return { names: [], problem: "there is no remote called origin" };
  const names = listPushed(output.text);
  return { names, problem: names.length === tags.length ? null : explain(output, limitMs) };
};

/** Takes back what was pushed just now; where that fails, the tags stay. */
export const withdrawTags = async ({ repository, keep }: Workshop, names: readonly string[]): Promise<void> => {
  const refs = names.map((name) => `:refs/tags/${name}`);
  await keep(async (signal) =>
    push(repository.top, refs, { env: {}, limitMs: LIMIT_MS + LIMIT_PER_TAG_MS * names.length, signal }),
  );
};
