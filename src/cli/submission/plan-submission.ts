import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { dropRivals, type JobField, readFields } from "../fields/job-field.ts";
import { applyDefaults } from "../project/apply-defaults.ts";
import { listSettings } from "../project/project-settings.ts";
import { type Project, readProject } from "../project/read-project.ts";
import { applyUsual } from "../settings/usual-fields.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { type JobOptions, readJobOptions } from "./job-options.ts";

type Plan = Readonly<{ flags: FlagValues; options: JobOptions }>;

const sayWhence = ({ path, settings }: Project): void => {
  if (path !== null) hint(`Where no flag says otherwise, ${path} sets: ${listSettings(settings).join(", ")}`);
};

/** All of a submission but its commands, and the flags with the project's and the user's defaults; `fields` are those that it may have. */
export const planSubmission = async (
  given: FlagValues,
  target: Target,
  fields: readonly JobField[],
): Promise<Result<Plan, Failure>> => {
  const project = await readProject(given, target.name);
  if (!project.ok) return project;
  const flags = dropRivals(fields, applyUsual(applyDefaults(given, project.value.settings), target.config), given);
  const options = await readJobOptions(flags, project.value, target);
  if (!options.ok) return options;
  if (readSwitch(flags, "dry-run")) sayWhence(project.value);
  return ok({ flags, options: { ...options.value, ...readFields(fields, flags) } });
};
