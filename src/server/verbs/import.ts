import { dirname, resolve } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { convertProblem, fail, NO_SUCH_THING, WRONG_STATE } from "../../command-line/usage.ts";
import { isEnded } from "../core/jobs/job.ts";
import { type TakenSettings, takeSettings } from "../external/earlier/earlier-settings.ts";
import { findEarlierDatabase, type Unusable } from "../external/earlier/find-database.ts";
import { loadSettings, locateSettingsFile } from "../external/settings/load-settings.ts";
import { findHolder } from "../external/sqlite/lock-folder.ts";
import { PATHS } from "../installation/plan.ts";
import { type TakenOver, takeOverEarlier } from "../take-over-earlier.ts";
import { becomeOwner } from "./become-owner.ts";

const EXIT_CODES: Readonly<Record<Unusable["kind"], number>> = { absent: NO_SUCH_THING, busy: WRONG_STATE, unfit: 1 };

const findIn = (folder: string): Result<string, Failure> => {
  const found = findEarlierDatabase(folder);
  if (found.ok) return found;
  const { kind, message } = found.error;
  return { ok: false, error: { exitCode: EXIT_CODES[kind], message } };
};

const findDatabase = (word: string | undefined, serverDir: string): Result<string, Failure> => {
  if (word !== undefined) return findIn(resolve(word));
  const installed = findIn(PATHS.configDir);
  const isAbsent = !installed.ok && installed.error.exitCode === NO_SUCH_THING;
  return isAbsent ? findIn(serverDir) : installed;
};

const refuseState = (serverDir: string, path: string): Result<void, Failure> => {
  const state = (message: string): Result<never, Failure> => ({ ok: false, error: { exitCode: WRONG_STATE, message } });
  const pid = findHolder(serverDir);
  if (pid !== null)
    return state(`the server on ${serverDir} runs (pid ${pid}): stop it, import, and start it again; its jobs go on`);
  if (serverDir === PATHS.configDir && dirname(path) === serverDir)
    return state(
      `${serverDir} is of the earlier installation: first nexus-server install, or name another --server-dir`,
    );
  return ok(undefined);
};

const count = (number: number, what: string): string => `${number} ${what}`;

const describeJobs = ({ path, jobs, known }: TakenOver): string => {
  const before = known === 0 ? "" : ` ${known} had been taken over before.`;
  if (jobs.length === 0)
    return known === 0
      ? `${path} has no jobs.`
      : `Nothing new in ${path}: all of its ${known} jobs were taken over before.`;
  const queued = jobs.filter(({ job }) => job.status === "queued").length;
  const ended = jobs.filter(({ job }) => isEnded(job)).length;
  const counts = [count(queued, "queued"), count(jobs.length - queued - ended, "running"), count(ended, "ended")];
  return `Took over from ${path}: ${counts.join(", ")} jobs.${before}`;
};

const describeRunning = ({ jobs, living }: TakenOver): readonly string[] => {
  const gone = jobs.filter(({ job }) => job.status === "running").length - living;
  return [
    ...(living === 0 ? [] : [`Running jobs that go on: ${living}.`]),
    ...(gone === 0
      ? []
      : [`Running jobs whose session is gone: ${gone}. The server says at its start what became of them.`]),
  ];
};

const describeFailed = ({ jobs }: TakenOver): readonly string[] =>
  jobs.flatMap(({ job }) =>
    isEnded(job) && job.errorMessage?.startsWith("Not run: ")
      ? [`${job.id} was queued and has failed. ${job.errorMessage}`]
      : [],
  );

const describeSettings = (taken: TakenSettings | null): readonly string[] => {
  if (taken === null) return [];
  if (taken.isWritten) return [`Its settings are in ${taken.path} now.`];
  return taken.left.length === 0
    ? []
    : [`${taken.path} stays as it is; the earlier settings differ in: ${taken.left.join(", ")}.`];
};

const report = (taken: TakenOver, settings: TakenSettings | null): string =>
  [
    describeJobs(taken),
    ...describeRunning(taken),
    ...describeFailed(taken),
    ...(taken.blacklist.length === 0 ? [] : [`Blacklisted GPUs: ${taken.blacklist.join(", ")}.`]),
    ...describeSettings(settings),
    "",
  ].join("\n");

const tellLeft = (left: readonly string[]): Outcome => {
  for (const line of left) process.stderr.write(`left out: ${line}\n`);
  return left.length === 0 ? DONE : fail(`${left.length} of its jobs can be none here; all others were taken over`);
};

const run = async ({ flags, words: [word] }: Invocation): Promise<Outcome> => {
  const file = locateSettingsFile(flags);
  const settings = convertProblem(loadSettings(flags, file));
  if (!settings.ok) return settings;
  const serverDir = resolve(settings.value.serverDir);
  becomeOwner(serverDir);
  const path = findDatabase(word, serverDir);
  if (!path.ok) return path;
  const state = refuseState(serverDir, path.value);
  if (!state.ok) return state;
  const taken = convertProblem(await takeOverEarlier(path.value, serverDir));
  if (!taken.ok) return taken;
  const own = convertProblem(takeSettings(dirname(path.value), file));
  process.stdout.write(report(taken.value, own.ok ? own.value : null));
  return own.ok ? tellLeft(taken.value.left) : own;
};

export const verb: Verb = {
  name: "import",
  usage: "nexus-server import [FOLDER]",
  summary: "take over what an earlier Nexus (in Python) left",
  flags: [],
  maxWords: 1,
  examples: ["sudo nexus-server import", "nexus-server import /mnt/etc/nexus_server"],
  run,
};
