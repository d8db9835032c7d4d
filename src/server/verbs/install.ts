import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Machine } from "../core/machine/installable-machine.ts";
import { readMachine } from "../external/machine/read-machine.ts";
import { type Flags, loadSettings } from "../external/settings/load-settings.ts";
import { readSettingsFile } from "../external/settings/settings-file.ts";
import { countRunningJobs } from "../external/sqlite/beside-server/server-folder.ts";
import { applySteps, describeStep } from "../installation/apply.ts";
import {
  type InstallOptions,
  type InstallStep,
  PATHS,
  planInstall,
  planUninstall,
  planUpgrade,
  USER,
} from "../installation/plan.ts";
import { listUpgradeNews } from "../installation/upgrade-news.ts";
import type { Mistake, ServerVerb } from "../server-verb.ts";
import { createTools } from "./installation-tools.ts";

const SERVICE_ENVIRONMENT = { NS_SERVER_DIR: PATHS.serverDir };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const examine = (): Machine => readMachine(USER, [...Object.values(PATHS), `${PATHS.serverDir}/jobs.db`]);

type Chosen = Pick<InstallOptions, "config" | "settings" | "news">;

const readGiven = (path: string): Result<Chosen, Mistake> => {
  const settings = loadSettings({}, path, SERVICE_ENVIRONMENT);
  if (!settings.ok) return settings;
  try {
    return ok({ config: readFileSync(path, "utf8"), settings: settings.value, news: [] });
  } catch (error) {
    return err({ message: `${path} can't be read: ${describeError(error)}` });
  }
};

const readKept = (): Result<Chosen, Mistake> => {
  const settings = loadSettings({}, PATHS.config, SERVICE_ENVIRONMENT);
  if (!settings.ok) return settings;
  const file = readSettingsFile(PATHS.config);
  if (!file.ok) return file;
  const news = listUpgradeNews({ file: file.value, settings: settings.value });
  return ok({ config: null, settings: settings.value, news });
};

const chooseConfig = ({ isRoot, existingPaths }: Machine, { config, force }: Flags): Result<Chosen, Mistake> => {
  if (typeof config === "string") return readGiven(config);
  if (!isRoot || force === true || !existingPaths.includes(PATHS.config))
    return ok({ config: null, settings: null, news: [] });
  return readKept();
};

const carryOut = async (
  planned: Result<readonly InstallStep[], Mistake>,
  flags: Flags,
): Promise<Result<number, Mistake>> => {
  if (!planned.ok) return planned;
  if (flags["dry-run"] === true) {
    for (const step of planned.value) say(describeStep(step));
    return ok(0);
  }
  const done = await applySteps(
    planned.value,
    createTools(() => loadSettings({}, PATHS.config, SERVICE_ENVIRONMENT), say),
  );
  return done.ok ? ok(0) : done;
};

const confirm = async ({ yes, "dry-run": isDryRun }: Flags, question: string): Promise<Result<void, Mistake>> => {
  if (yes === true || isDryRun === true) return ok(undefined);
  if (process.stdin.isTTY !== true)
    return err({ message: "this asks first: add -y where there is no terminal", isUsage: true });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim()) ? ok(undefined) : err({ message: "nothing was done" });
};

const install = async (plan: typeof planInstall, flags: Flags): Promise<Result<number, Mistake>> => {
  const machine = examine();
  const chosen = chooseConfig(machine, flags);
  if (!chosen.ok) return chosen;
  const options = { ...chosen.value, force: flags["force"] === true, start: flags["no-start"] !== true };
  return carryOut(plan(machine, options), flags);
};

export const runInstall: ServerVerb["run"] = ({ flags }) => install(planInstall, flags);

export const runUpgrade: ServerVerb["run"] = ({ flags }) => install(planUpgrade, flags);

export const runUninstall: ServerVerb["run"] = async ({ flags }) => {
  const options = {
    keepConfig: flags["keep-config"] === true,
    deleteData: flags["delete-data"] === true,
    force: flags["force"] === true,
  };
  const planned = planUninstall(examine(), countRunningJobs(PATHS.serverDir), options);
  if (!planned.ok) return planned;
  const confirmed = await confirm(flags, `Take the service away${options.deleteData ? " with all its jobs" : ""}?`);
  return confirmed.ok ? carryOut(planned, flags) : confirmed;
};
