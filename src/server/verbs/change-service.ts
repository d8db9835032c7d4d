import { readFileSync } from "node:fs";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Flag, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { convertProblem, failUsage, INTERRUPTED } from "../../command-line/usage.ts";
import type { Machine } from "../core/machine/installable-machine.ts";
import type { Settings } from "../core/settings/settings.ts";
import { readMachine } from "../external/machine/read-machine.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { listSettingFlags } from "../external/settings/setting-list.ts";
import { readSettingsFile } from "../external/settings/settings-file.ts";
import { applySteps, describeStep } from "../installation/apply.ts";
import { type InstallOptions, type InstallStep, PATHS, type planInstall, USER } from "../installation/plan.ts";
import { listUpgradeNews } from "../installation/upgrade-news.ts";
import { isEarlierConfiguration, offerImport, renderFromEarlier } from "./earlier-installation.ts";
import { createTools } from "./installation-tools.ts";

export const DRY_RUN: Flag = { long: "dry-run", help: "say what would be done, and do nothing" };

type Plan = Result<readonly InstallStep[], Failure>;
type Chosen = Pick<InstallOptions, "config" | "settings" | "news" | "keepsConfig">;

const SERVICE_ENVIRONMENT = { NS_SERVER_DIR: PATHS.serverDir };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const loadOwn = (path: string = PATHS.config): Result<Settings, Failure> =>
  convertProblem(loadSettings({}, path, SERVICE_ENVIRONMENT));

export const refuseSetting = (flag: string): Result<never, Failure> =>
  failUsage(`--${flag} is not for the service, whose settings are in ${PATHS.config}`);

const apply = async (steps: readonly InstallStep[]): Promise<Outcome> => {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  if (steps.some((step) => step.kind === "server" && step.act === "drain"))
    process.on("SIGINT", stop).on("SIGTERM", stop);
  const tools = createTools(loadOwn, say, interrupt.signal);
  const done = convertProblem(await applySteps(steps, tools));
  const ended = convertProblem(await tools.drain.end());
  if (!done.ok) return interrupt.signal.aborted ? err({ ...done.error, exitCode: INTERRUPTED }) : done;
  return ended.ok ? DONE : ended;
};

/** Settings as flags are refused: the service reads its own from its configuration. */
export const changeService = async (
  flags: FlagValues,
  plan: (machine: Machine) => Plan | Promise<Plan>,
): Promise<Outcome> => {
  const setting = listSettingFlags().find(({ long }) => flags[long] !== undefined);
  if (setting !== undefined) return refuseSetting(setting.long);
  const planned = await plan(readMachine(USER, [...Object.values(PATHS), `${PATHS.serverDir}/jobs.db`]));
  if (!planned.ok) return planned;
  if (readSwitch(flags, "dry-run")) {
    for (const step of planned.value) say(describeStep(step));
    return DONE;
  }
  return apply(planned.value);
};

const readGiven = (path: string): Result<Chosen, Failure> => {
  try {
    const config = readFileSync(path, "utf8");
    const settings = loadOwn(path);
    return settings.ok ? ok({ config, settings: settings.value, news: [] }) : settings;
  } catch (error) {
    return failUsage(`--config: ${path} can't be read: ${describeError(error)}`);
  }
};

const readKept = (): Result<Chosen, Failure> => {
  const settings = loadOwn();
  if (!settings.ok) return settings;
  const file = convertProblem(readSettingsFile(PATHS.config));
  if (!file.ok) return file;
  const news = listUpgradeNews({ file: file.value, settings: settings.value });
  return ok({ config: null, settings: settings.value, news });
};

const takeEarlier = (machine: Machine): Result<Chosen, Failure> => {
  const taken = convertProblem(renderFromEarlier(machine));
  return taken.ok ? ok({ ...taken.value, news: [], keepsConfig: true }) : taken;
};

const chooseConfig = (machine: Machine, flags: FlagValues): Result<Chosen, Failure> => {
  const given = readText(flags, "config");
  if (given !== null) return readGiven(given);
  const keeps = machine.isRoot && !readSwitch(flags, "force") && machine.existingPaths.includes(PATHS.config);
  if (keeps && isEarlierConfiguration()) return takeEarlier(machine);
  return keeps ? readKept() : ok({ config: null, settings: null, news: [] });
};

export const installService = (plan: typeof planInstall, flags: FlagValues): Promise<Outcome> =>
  changeService(flags, (machine) => {
    const chosen = chooseConfig(machine, flags);
    if (!chosen.ok) return chosen;
    const news = [...chosen.value.news, ...(machine.isRoot ? offerImport() : [])];
    const isPreview = readSwitch(flags, "dry-run");
    const wish = {
      force: readSwitch(flags, "force"),
      start: !readSwitch(flags, "no-start"),
      isPreview,
      awaitsIdle: readSwitch(flags, "wait"),
    };
    const options = { ...chosen.value, news, ...wish };
    return convertProblem(plan(machine, options));
  });
