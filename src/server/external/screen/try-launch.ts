import { closeSync, constants, existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { canAccess } from "../../../tools/can-access.ts";
import { runCommand } from "../../../tools/run-command.ts";
import type { Environment } from "../../core/store.ts";
import { readTextIfThere } from "./job-files.ts";
import { chooseScreenFolder } from "./screen-folder.ts";

/** Without `trouble` a job can be launched, with `folder` as what tells screen its folder. */
export type Trial = Readonly<{ folder: Environment; trouble: string | null }>;

const SESSION = `nexus_trial_${process.pid}`;
const LIMITS = { timeoutMs: 5000, maxOutputBytes: 65_536 };
const OUT_OF_PROCESSES = /fork|EAGAIN|Resource temporarily unavailable|Cannot allocate memory/i;

const PACKAGES: Readonly<Record<string, string>> = {
  screen: "screen",
  script: "bsdutils",
  setpriv: "util-linux",
  bash: "bash",
};

const OUTSIDE = `exec 2> error.log
SHELL=$BASH setpriv --pdeathsig KILL script -q -e -f -c 'bash inside.sh 2> inside.log' /dev/null >&2
`;

const INSIDE = `for one in {1..8}; do sleep 0.05 & done
wait
true | true && : > done
`;

const isMissing = (name: string, { PATH = "" }: Environment): boolean =>
  !PATH.split(delimiter).some((folder) => canAccess(join(folder, name), constants.X_OK));

const findMissing = (env: Environment): string | null => {
  const [name] = Object.keys(PACKAGES).filter((one) => isMissing(one, env));
  if (name === undefined) return null;
  return `the program ${name} is not on the server's PATH: install it (apt-get install ${PACKAGES[name]})`;
};

const findTerminalTrouble = (): string | null => {
  try {
    closeSync(openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY));
    return null;
  } catch (error) {
    const remedy = "mount devpts at /dev/pts, or close some terminals (sysctl kernel.pty.max)";
    return `no terminal can be opened (${describeError(error).split("\n")[0]}): ${remedy}`;
  }
};

const listLines = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

const LIMITS_OF_PROCESSES = "raise its limit (ulimit -u, TasksMax)";

const explain = (words: string): string => {
  const lines = listLines(words);
  const exhausted = lines.find((line) => OUT_OF_PROCESSES.test(line));
  if (exhausted !== undefined)
    return `no more processes can be started (${exhausted}): end some of the server's user, or ${LIMITS_OF_PROCESSES}`;
  if (lines.length > 0)
    return `a trial of screen and script failed (${lines[0]}): mend that, the server tries again by itself`;
  return `a trial of screen and script failed without a word: see whether both work; where the server's user can start no more processes, ${LIMITS_OF_PROCESSES}`;
};

const runTrial = async (dir: string, env: Environment): Promise<string | null> => {
  await Promise.all([
    writeFile(join(dir, "outside.sh"), OUTSIDE),
    writeFile(join(dir, "inside.sh"), INSIDE),
    writeFile(join(dir, "screenrc"), ""),
  ]);
  const argv = ["screen", "-D", "-m", "-c", "screenrc", "-S", SESSION, "bash", "outside.sh"] as const;
  const ran = await runCommand(argv, { ...LIMITS, env, cwd: dir });
  const logs = ["inside.log", "error.log"].map((name) => readTextIfThere(join(dir, name)) ?? "");
  if (existsSync(join(dir, "done")) && !logs.some((log) => OUT_OF_PROCESSES.test(log))) return null;
  if (!ran.ok) await runCommand(["screen", "-wipe", SESSION], { ...LIMITS, env });
  const heard = ran.ok ? `${ran.value.stdout}\n${ran.value.stderr}` : ran.error.message;
  return findTerminalTrouble() ?? explain([...logs, heard].join("\n"));
};

/** Launches what a job needs without a job: nothing of it is left. */
export const tryLaunch = async (serverDir: string, env: Environment): Promise<Trial> => {
  const missing = findMissing(env);
  if (missing !== null) return { folder: {}, trouble: missing };
  const dir = await mkdtemp(resolve(serverDir, "trial-"));
  try {
    const folder = await chooseScreenFolder(serverDir, env);
    return { folder, trouble: await runTrial(dir, { ...env, ...folder }) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
