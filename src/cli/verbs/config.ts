import { maskFields } from "../../base/secret-names.ts";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { failUsage } from "../../command-line/usage.ts";
import { listSettings } from "../project/project-settings.ts";
import { readProject } from "../project/read-project.ts";
import {
  type Config,
  locateConfig,
  parseConfig,
  readConfig,
  readListOption,
  readOption,
  readSwitchOption,
} from "../settings/config-file.ts";
import { type CheckFile, editFile } from "../settings/edit-file.ts";
import { nameVariable, SETTINGS, type Setting } from "../settings/settings.ts";
import { chooseTargetName } from "../targets/resolve-target.ts";
import { dim, hint, print, printJson } from "../terminal/output.ts";

const ACTIONS = ["show", "edit"];
const TEMPLATE = "# Settings of nx; see: nx help config\n";
const COLUMN = 36;

const check: CheckFile = async (path) => {
  const config = await parseConfig(path);
  return config.ok ? null : config.error.message;
};

const readSetting = (config: Config, { name, kind, fallback }: Setting): Readonly<{ value: unknown; from: string }> => {
  const raw = readOption(config, name);
  if (raw === undefined) return { value: fallback, from: "default" };
  const from = process.env[nameVariable(name)] === undefined ? "" : nameVariable(name);
  if (kind === "list") return { value: readListOption(config, name), from };
  return { value: kind === "switch" ? readSwitchOption(config, name, fallback === true) : raw, from };
};

const maskOne = (name: string, value: unknown): unknown => maskFields({ [name]: value })[name];

const mask = (name: string, value: unknown): unknown =>
  name === "targets" && typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([target, entry]) => [target, maskOne("target", entry)]))
    : maskOne(name, value);

const collect = (config: Config): readonly Readonly<{ name: string; value: unknown; from: string }>[] => [
  ...SETTINGS.map((setting) => ({ name: setting.name, ...readSetting(config, setting) })),
  ...Object.entries(config)
    .filter(([name]) => !SETTINGS.some((setting) => setting.name === name))
    .map(([name, value]) => ({ name, value: mask(name, value), from: "" })),
];

const sayProject = async (config: Config, flags: FlagValues): Promise<void> => {
  const target = chooseTargetName(config, flags);
  const project = await readProject(flags, target);
  if (!project.ok) return hint(project.error.message);
  const { path, settings } = project.value;
  if (path !== null) hint(`${path} sets for jobs on ${target}: ${listSettings(settings).join(", ")}`);
};

const show = async (flags: FlagValues): Promise<Outcome> => {
  const config = await readConfig();
  if (!config.ok) return config;
  const shown = collect(config.value);
  if (readSwitch(flags, "json")) {
    printJson(Object.fromEntries(shown.map(({ name, value }) => [name, value])));
    return DONE;
  }
  const { stringify } = await import("smol-toml");
  for (const { name, value, from } of shown) {
    const text = stringify({ [name]: value }).trimEnd();
    print(from === "" ? text : `${text.padEnd(COLUMN)}${dim(`# ${from}`)}`);
  }
  hint(`Change them with nx config edit (${locateConfig()}).`);
  await sayProject(config.value, flags);
  return DONE;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action = "show", extra] = words;
  if (!ACTIONS.includes(action)) return refuseWord("nx config", action, ACTIONS);
  if (extra !== undefined) return failUsage(`nx config ${action} takes nothing more, not "${extra}"`);
  return action === "edit" ? editFile(locateConfig(), { template: TEMPLATE, check }) : show(flags);
};

export const verb: Verb = {
  name: "config",
  usage: "nx config [show|edit]",
  summary: "your settings",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx config", "nx config edit"],
  run,
};
