import { createInterface } from "node:readline/promises";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues, Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { convertProblem, fail, failUsage } from "../../command-line/usage.ts";
import { countRunningJobs } from "../external/sqlite/beside-server/server-folder.ts";
import { PATHS, planUninstall } from "../installation/plan.ts";
import { changeService, DRY_RUN } from "./change-service.ts";

const confirm = async (flags: FlagValues, question: string): Promise<Result<void, Failure>> => {
  if (readSwitch(flags, "yes") || readSwitch(flags, "dry-run")) return ok(undefined);
  if (process.stdin.isTTY !== true) return failUsage("this asks first: add -y where there is no terminal");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim()) ? ok(undefined) : fail("nothing was done");
};

export const verb: Verb = {
  name: "uninstall",
  usage: "nexus-server uninstall [flags]",
  summary: "take the service away, not its jobs",
  flags: [
    { long: "keep-config", help: "leave /etc/nexus_server" },
    { long: "delete-data", help: "delete its jobs, logs and user, too" },
    { long: "force", help: "also while jobs are running" },
    { long: "yes", short: "y", help: "don't ask" },
    DRY_RUN,
  ],
  maxWords: 0,
  examples: ["sudo nexus-server uninstall", "sudo nexus-server uninstall -y --delete-data"],
  run: ({ flags }) =>
    changeService(flags, async (machine) => {
      const options = {
        keepConfig: readSwitch(flags, "keep-config"),
        deleteData: readSwitch(flags, "delete-data"),
        force: readSwitch(flags, "force"),
      };
      const planned = convertProblem(planUninstall(machine, countRunningJobs(PATHS.serverDir), options));
      if (!planned.ok) return planned;
      const question = `Take the service away${options.deleteData ? " with all its jobs" : ""}?`;
      const confirmed = await confirm(flags, question);
      return confirmed.ok ? planned : confirmed;
    }),
};
