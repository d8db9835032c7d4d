import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues, Outcome, Verb } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { convertProblem, FAILED, fail, failUsage, WRONG_STATE } from "../../command-line/usage.ts";
import type { Machine } from "../core/machine/installable-machine.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { listSettingFlags } from "../external/settings/setting-list.ts";
import { countRunningJobs } from "../external/sqlite/beside-server/server-folder.ts";
import { type InstallStep, PATHS, planUninstall, type UninstallOptions } from "../installation/plan.ts";
import { changeService, DRY_RUN, refuseSetting } from "./change-service.ts";
import { isOfService } from "./run-service.ts";
import { uninstallPersonal } from "./uninstall-personal.ts";

const hasDatabase = (serverDir: string): boolean => existsSync(join(serverDir, "jobs.db"));

const confirm = async (flags: FlagValues, question: string): Promise<Result<void, Failure>> => {
  if (readSwitch(flags, "yes") || readSwitch(flags, "dry-run")) return ok(undefined);
  if (process.stdin.isTTY !== true) return failUsage("this asks first: add -y where there is no terminal");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim()) ? ok(undefined) : fail("nothing was done");
};

const readOptions = (flags: FlagValues): UninstallOptions => ({
  keepConfig: readSwitch(flags, "keep-config"),
  deleteData: readSwitch(flags, "delete-data"),
  force: readSwitch(flags, "force"),
});

const refuseWithoutRoot = (): Result<never, Failure> => {
  const own = loadSettings({});
  const folder = own.ok && resolve(own.value.serverDir) !== PATHS.serverDir ? own.value.serverDir : null;
  const hint = `the server of your own is taken away with: nexus-server uninstall --server-dir ${folder}`;
  return fail(`this needs root: run it with sudo${folder !== null && hasDatabase(folder) ? `; ${hint}` : ""}`);
};

const planService = (machine: Machine, options: UninstallOptions): Result<readonly InstallStep[], Failure> => {
  if (!machine.isRoot) return refuseWithoutRoot();
  const running = countRunningJobs(PATHS.serverDir);
  const planned = planUninstall(machine, running, options);
  return planned.ok ? planned : err({ exitCode: running > 0 ? WRONG_STATE : FAILED, message: planned.error.message });
};

const uninstallService = (flags: FlagValues): Promise<Outcome> =>
  changeService(flags, async (machine) => {
    const options = readOptions(flags);
    const planned = planService(machine, options);
    if (!planned.ok) return planned;
    const confirmed = await confirm(flags, `Take the service away${options.deleteData ? " with all its jobs" : ""}?`);
    return confirmed.ok ? planned : confirmed;
  });

const uninstallOwn = async (flags: FlagValues): Promise<Outcome> => {
  const named = readText(flags, "server-dir");
  const setting = listSettingFlags().find(({ long }) => long !== "server-dir" && flags[long] !== undefined);
  if (setting !== undefined) return refuseSetting(setting.long);
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  if (named !== null && !hasDatabase(named))
    return failUsage(`${named} has no server of yours, and --server-dir is not for the service`);
  return uninstallPersonal(settings.value, {
    ...readOptions(flags),
    isDry: readSwitch(flags, "dry-run"),
    isNamed: named !== null || Boolean(process.env["NS_SERVER_DIR"]),
    confirm: (question) => confirm(flags, question),
  });
};

export const verb: Verb = {
  name: "uninstall",
  usage: "nexus-server uninstall [flags]",
  summary: "stop and take away the service, or your own server",
  flags: [
    { long: "keep-config", help: "leave /etc/nexus_server; for your own: ~/.nexus" },
    { long: "delete-data", help: "delete its jobs, logs and user (for your own: ~/.nexus), too" },
    { long: "force", help: "also while jobs are running" },
    { long: "yes", short: "y", help: "don't ask" },
    DRY_RUN,
  ],
  maxWords: 0,
  examples: [
    "sudo nexus-server uninstall",
    "sudo nexus-server uninstall -y --delete-data",
    "nexus-server uninstall --delete-data --dry-run",
  ],
  run: ({ flags }) =>
    isOfService(flags["server-dir"] ?? process.env["NS_SERVER_DIR"]) ? uninstallService(flags) : uninstallOwn(flags),
};
