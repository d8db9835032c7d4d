import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { failUsage } from "../../command-line/usage.ts";
import { chooseJobrc } from "../project/choose-jobrc.ts";
import { type Project, readProject } from "../project/read-project.ts";
import { locateOwn, readConfig } from "../settings/config-file.ts";
import { editFile } from "../settings/edit-file.ts";
import { maskJobrc } from "../settings/mask-jobrc.ts";
import { chooseTargetName } from "../targets/resolve-target.ts";
import { LOCAL } from "../targets/target.ts";
import { hint, printJson, write } from "../terminal/output.ts";

const ACTIONS = ["show", "edit"];
const TEMPLATE = "# Bash reads this before the command of each of your jobs, in the job's folder.\n";

const locate = (): string => locateOwn(".jobrc");

const sayWhence = ({ path, settings: { jobrc } }: Project): void => {
  if (jobrc === false) hint(`By ${path} jobs of this project have no jobrc, not even ${locate()}.`);
  else if (jobrc !== undefined) hint(`This is ${jobrc}, which ${path} names instead of ${locate()}:`);
};

const show = async (flags: FlagValues): Promise<Outcome> => {
  const config = await readConfig();
  const project = await readProject(flags, config.ok ? chooseTargetName(config.value, flags) : LOCAL);
  if (!project.ok) return project;
  const text = chooseJobrc(project.value);
  if (!text.ok) return text;
  const shown = text.value === null || readSwitch(flags, "clear") ? text.value : maskJobrc(text.value);
  if (readSwitch(flags, "json")) {
    printJson({ jobrc: shown });
    return DONE;
  }
  sayWhence(project.value);
  if (shown !== null) write(shown);
  else if (project.value.settings.jobrc === undefined)
    hint(`There is no ${locate()} yet; write one with: nx jobrc edit`);
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
