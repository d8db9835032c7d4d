import type { FlagValues } from "../../command-line/command.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { toFlagValue } from "../fields/job-field.ts";
import type { ProjectSettings } from "./project-settings.ts";

export const GPU_FLAGS = ["gpus", "gpu-idxs", "cpu"];

const OUTPUT_FLAGS = ["outputs", "no-outputs"];

const listFields = (settings: Readonly<Record<string, unknown>>): FlagValues =>
  Object.fromEntries(
    JOB_FIELDS.flatMap((field) => {
      const value = settings[field.flag.long] === undefined ? null : toFlagValue(field, settings[field.flag.long]);
      return value === null ? [] : [[field.flag.long, value]];
    }),
  );

const listDefaults = ({ gpus, outputs, priority, local, ...others }: ProjectSettings): FlagValues => ({
  ...listFields(others),
  ...(gpus === undefined ? {} : { gpus: String(gpus) }),
  ...(outputs === undefined || outputs === false ? {} : { outputs }),
  ...(outputs === false ? { "no-outputs": true } : {}),
  ...(priority === undefined ? {} : { priority: String(priority) }),
  ...(local === undefined ? {} : { local }),
});

const isDecided = (flags: FlagValues, name: string): boolean => {
  const rivals = [GPU_FLAGS, OUTPUT_FLAGS].find((group) => group.includes(name)) ?? [name];
  return rivals.some((rival) => flags[rival] !== undefined);
};

/** The flags, and where they say nothing of something, what the project does. */
export const applyDefaults = (flags: FlagValues, settings: ProjectSettings): FlagValues => ({
  ...flags,
  ...Object.fromEntries(Object.entries(listDefaults(settings)).filter(([name]) => !isDecided(flags, name))),
});
