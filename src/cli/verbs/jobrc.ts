import { existsSync, readFileSync } from "node:fs";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { failUsage } from "../../command-line/usage.ts";
import { locateOwn } from "../settings/config-file.ts";
import { editFile } from "../settings/edit-file.ts";
import { maskJobrc } from "../settings/mask-jobrc.ts";
import { hint, printJson, write } from "../terminal/output.ts";

const ACTIONS = ["show", "edit"];
const TEMPLATE = "# Bash reads this before the command of each of your jobs, in the job's folder.\n";

const locate = (): string => locateOwn(".jobrc");

const show = (flags: FlagValues): Outcome => {
  const text = existsSync(locate()) ? readFileSync(locate(), "utf8") : null;
  const shown = text === null || readSwitch(flags, "clear") ? text : maskJobrc(text);
  if (readSwitch(flags, "json")) printJson({ jobrc: shown });
  else if (shown === null) hint(`There is no ${locate()} yet; write one with: nx jobrc edit`);
  else write(shown);
  return DONE;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action = "show", extra] = words;
  if (!ACTIONS.includes(action)) return refuseWord("nx jobrc", action, ACTIONS);
  if (extra !== undefined) return failUsage(`nx jobrc ${action} takes nothing more, not "${extra}"`);
  return action === "edit" ? editFile(locate(), { template: TEMPLATE, check: async () => null }) : show(flags);
};

export const verb: Verb = {
  name: "jobrc",
  usage: "nx jobrc [show|edit]",
  summary: "what bash reads before each of your jobs",
  flags: [
    { long: "clear", help: "show secrets too" },
    { long: "json", help: "as JSON" },
  ],
  examples: ["nx jobrc edit", "nx jobrc"],
  run,
};
