import type { FlagValues } from "../../command-line/command.ts";
import { toFlagValue } from "../fields/job-field.ts";
import { type Config, readOption, readSwitchOption } from "./config-file.ts";
import { SETTINGS, type Setting } from "./settings.ts";

const readUsual = ({ name, field }: Setting, config: Config): FlagValues => {
  const value = readOption(config, name);
  if (field === undefined || value === undefined || value === "") return {};
  const given = toFlagValue(field, field.flag.value === undefined ? readSwitchOption(config, name, false) : value);
  return given === null ? {} : { [field.flag.long]: given };
};

/** The flags, and where they say nothing of a field, what the user's settings say. */
export const applyUsual = (flags: FlagValues, config: Config, settings: readonly Setting[] = SETTINGS): FlagValues =>
  Object.assign({}, ...settings.map((setting) => readUsual(setting, config)), flags);
