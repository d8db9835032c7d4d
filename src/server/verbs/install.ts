import { readFileSync } from "node:fs";
import { describeError } from "../../shared/describe-error.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Settings } from "../core/config.ts";
import { readMachine } from "../external/read-machine.ts";
import { countRunningJobs } from "../external/sqlite/count-running-jobs.ts";
import { applySteps, describeStep } from "../installation/apply.ts";
import { type Machine, PATHS, planInstall, planUninstall, type Step, USER } from "../installation/plan.ts";
import { createTools } from "./installation-tools.ts";

type Mistake = Readonly<{ message: string }>;
type Surroundings = Readonly<{ loadSettings: () => Result<Settings, Mistake>; say: (line: string) => void }>;
type InstallRequest = Readonly<{ config: string | undefined; force: boolean; start: boolean; isDryRun: boolean }>;
type UninstallRequest = Readonly<{ keepConfig: boolean; deleteData: boolean; force: boolean; isDryRun: boolean }>;

const examine = (): Machine => readMachine(USER, [...Object.values(PATHS), `${PATHS.serverDir}/jobs.db`]);

const readConfig = (path: string | undefined): Result<string | null, Mistake> => {
  if (path === undefined) return ok(null);
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return err({ message: `${path} can't be read: ${describeError(error)}` });
  }
};

const carryOut = async (
  planned: Result<readonly Step[], Mistake>,
  isDryRun: boolean,
  { loadSettings, say }: Surroundings,
): Promise<Result<void, Mistake>> => {
  if (!planned.ok) return planned;
  if (!isDryRun) return applySteps(planned.value, createTools(loadSettings, say));
  for (const step of planned.value) say(describeStep(step));
  return ok(undefined);
};

export const runInstall = async (
  request: InstallRequest,
  surroundings: Surroundings,
): Promise<Result<void, Mistake>> => {
  const config = readConfig(request.config);
  if (!config.ok) return config;
  return carryOut(planInstall(examine(), { ...request, config: config.value }), request.isDryRun, surroundings);
};

export const runUninstall = (request: UninstallRequest, surroundings: Surroundings): Promise<Result<void, Mistake>> =>
  carryOut(planUninstall(examine(), countRunningJobs(PATHS.serverDir), request), request.isDryRun, surroundings);
