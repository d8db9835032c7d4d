import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { describeError } from "../../shared/describe-error.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Machine } from "../core/machine.ts";
import { readMachine } from "../external/read-machine.ts";
import { countRunningJobs } from "../external/sqlite/count-running-jobs.ts";
import { applySteps, describeStep } from "../installation/apply.ts";
import { PATHS, planInstall, planUninstall, type Step, USER } from "../installation/plan.ts";
import { type Flags, loadSettings } from "../load-settings.ts";
import type { Mistake, ServerVerb } from "../server-verb.ts";
import { createTools } from "./installation-tools.ts";

const SERVICE_ENVIRONMENT = { NS_SERVER_DIR: PATHS.serverDir };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const examine = (): Machine => readMachine(USER, [...Object.values(PATHS), `${PATHS.serverDir}/jobs.db`]);

const readConfig = (path: unknown): Result<string | null, Mistake> => {
  if (typeof path !== "string") return ok(null);
  try {
    const checked = loadSettings({}, path, SERVICE_ENVIRONMENT);
    return checked.ok ? ok(readFileSync(path, "utf8")) : checked;
  } catch (error) {
    return err({ message: `${path} can't be read: ${describeError(error)}` });
  }
};

const carryOut = async (planned: Result<readonly Step[], Mistake>, flags: Flags): Promise<Result<number, Mistake>> => {
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

export const runInstall: ServerVerb["run"] = async ({ flags }) => {
  const config = readConfig(flags["config"]);
  if (!config.ok) return config;
  const options = { config: config.value, force: flags["force"] === true, start: flags["no-start"] !== true };
  return carryOut(planInstall(examine(), options), flags);
};

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
