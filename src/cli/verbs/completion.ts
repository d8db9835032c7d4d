import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { listHomes, locateCompletion, SHELLS, type Shell } from "../../wire/places/own-files.ts";
import { COMPLETION_SCRIPTS } from "../completion/completion-scripts.ts";
import { locateHome } from "../settings/config-file.ts";
import { writePrivateFile } from "../settings/write-file.ts";
import { print, write } from "../terminal/output.ts";

const isShell = (word: string): word is Shell => SHELLS.some((shell) => shell === word);

const addLine = (path: string, line: string): Result<boolean, Failure> => {
  try {
    const before = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (before.split("\n").includes(line)) return ok(false);
    appendFileSync(path, `${before === "" || before.endsWith("\n") ? "" : "\n"}${line}\n`);
    return ok(true);
  } catch (error) {
    return fail(`${path} can't be changed: ${describeError(error)}`);
  }
};

const install = (shell: Shell): Outcome => {
  const { scripts, start } = locateCompletion(shell, listHomes(process.env, locateHome()));
  for (const path of scripts) {
    const written = writePrivateFile(path, COMPLETION_SCRIPTS[shell]);
    if (!written.ok) return written;
    print(`Written: ${path}`);
  }
  const added = start === null ? ok(false) : addLine(start.path, start.line);
  if (!added.ok) return added;
  if (added.value && start !== null) print(`A line in ${start.path} reads it.`);
  print(`Completion works in each ${shell} that you start from now on.`);
  return DONE;
};

const guessShell = (): string => basename(process.env["SHELL"] ?? "");

const run = async ({ words }: Invocation): Promise<Outcome> => {
  const [word, chosen] = words;
  if (word === undefined) return failUsage(`nx completion takes ${SHELLS.join(", ")} or install`);
  if (word === "install") {
    const shell = chosen ?? guessShell();
    return isShell(shell) ? install(shell) : refuseWord("nx completion install", shell, SHELLS);
  }
  if (!isShell(word)) return refuseWord("nx completion", word, [...SHELLS, "install"]);
  if (chosen !== undefined) return failUsage(`nx completion ${word} takes nothing more, not "${chosen}"`);
  write(COMPLETION_SCRIPTS[word]);
  return DONE;
};

export const verb: Verb = {
  name: "completion",
  usage: "nx completion bash|zsh|fish|install [SHELL]",
  summary: "let your shell complete verbs, flags, jobs and GPUs",
  flags: [],
  maxWords: 2,
  examples: ["nx completion install", "source <(nx completion bash)"],
  run,
};
