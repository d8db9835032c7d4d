import { statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { IS_SINGLE_FILE } from "../../base/single-file.ts";
import { DONE, type Failure, type Outcome } from "../../command-line/command.ts";
import { convertProblem, NO_SUCH_THING, REFUSED, WRONG_STATE } from "../../command-line/usage.ts";
import type { OwnTraces } from "../core/machine/own-traces.ts";
import type { Settings } from "../core/settings/settings.ts";
import { findTraces } from "../external/personal/find-traces.ts";
import { countRunningJobs } from "../external/sqlite/beside-server/server-folder.ts";
import { findHolder } from "../external/sqlite/lock-folder.ts";
import { applySteps, describeStep } from "../installation/apply.ts";
import { PATHS, type UninstallOptions } from "../installation/plan.ts";
import { isTraceless, type PersonalPlan, planPersonal } from "../installation/plan-personal.ts";
import { becomeOwner } from "./become-owner.ts";
import { createTools } from "./installation-tools.ts";

/** `isNamed`: its folder was named, so that it need not be the one beside which `nx` keeps things. `confirm` asks, and is answered for by a flag. */
export type PersonalOptions = UninstallOptions &
  Readonly<{ isDry: boolean; isNamed: boolean; confirm: (question: string) => Promise<Result<void, Failure>> }>;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const refuse = (exitCode: number, message: string): Result<never, Failure> => err({ exitCode, message });

const isForeign = (folder: string): boolean => {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    return found !== undefined && found.uid !== process.getuid?.();
  } catch {
    return true;
  }
};

const gather = (serverDir: string, hasClient: boolean): OwnTraces => {
  const programs = IS_SINGLE_FILE ? process.execPath : resolve(import.meta.dirname, "..", "..", "..");
  const home = process.env["HOME"] || homedir();
  return findTraces({ serverDir, pid: findHolder(serverDir), hasClient, home, env: process.env, programs });
};

const findTracesOf = (serverDir: string, hasClient: boolean): Result<OwnTraces, Failure> => {
  const uninstalled = `nothing is installed: there is no ${PATHS.unit}`;
  if (isForeign(serverDir))
    return refuse(REFUSED, `${serverDir} belongs to another user, who can take it away, as can root`);
  if (serverDir === PATHS.serverDir) return refuse(NO_SUCH_THING, `${uninstalled}; what one left is in ${serverDir}`);
  const traces = gather(serverDir, hasClient);
  return isTraceless(traces)
    ? refuse(NO_SUCH_THING, `${uninstalled}, and no server of yours in ${serverDir}`)
    : ok(traces);
};

const describeRunning = (serverDir: string): string | null => {
  try {
    const running = countRunningJobs(serverDir);
    if (running === 0) return null;
    return `${running === 1 ? "1 job is" : `${running} jobs are`} running: wait, or end what runs with nx kill`;
  } catch (error) {
    return `whether jobs are running can't be read (${describeError(error)})`;
  }
};

const checkIdle = (serverDir: string, { force, deleteData }: UninstallOptions): Result<void, Failure> => {
  const running = force ? null : describeRunning(serverDir);
  const fate = deleteData ? "is left without its folder" : "goes on, and nobody hears of its end";
  return running === null ? ok(undefined) : refuse(WRONG_STATE, `${running}; with --force it ${fate}`);
};

const describePlan = ({ stop, rest }: PersonalPlan): string => [...stop, ...rest].map(describeStep).join("\n");

const carryOut = async (
  { stop, rest }: PersonalPlan,
  settings: Settings,
  options: UninstallOptions,
): Promise<Outcome> => {
  const tools = createTools(() => ok(settings), say);
  const stopped = convertProblem(await applySteps(stop, tools));
  if (!stopped.ok) return stopped;
  const idle = options.deleteData ? checkIdle(resolve(settings.serverDir), options) : ok(undefined);
  if (!idle.ok) return idle;
  const done = convertProblem(await applySteps(rest, tools));
  return done.ok ? DONE : done;
};

/** Stops a server of the user's own, and says what of it stays, or deletes that. */
export const uninstallPersonal = async (settings: Settings, options: PersonalOptions): Promise<Outcome> => {
  const serverDir = resolve(settings.serverDir);
  becomeOwner(serverDir);
  const traces = findTracesOf(serverDir, !options.isNamed);
  if (!traces.ok) return traces;
  const idle = checkIdle(serverDir, options);
  if (!idle.ok) return idle;
  const plan = planPersonal(traces.value, options);
  if (options.isDry) {
    say(describePlan(plan));
    return DONE;
  }
  const agreed = options.deleteData
    ? await options.confirm(`${describePlan(plan)}\nDo this, for good?`)
    : ok(undefined);
  return agreed.ok ? carryOut(plan, settings, options) : agreed;
};
