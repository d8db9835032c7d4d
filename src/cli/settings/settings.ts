import { INTEGRATION_NAMES, NOTIFICATION_NAMES } from "../../wire/job-names.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { describeWrongValue, type JobField } from "../fields/job-field.ts";

/** A key of `config.toml`. `choices` are what a list may hold, or one of which a choice is; `field` is the job's that it is usual for. */
export type Setting = Readonly<{
  name: string;
  kind: "text" | "list" | "switch" | "choice" | "field";
  field?: JobField;
  choices?: readonly string[];
  fallback: string | boolean | readonly string[];
}>;

/** What of the user's shell travels with a job: what an active environment needs, all of it, or nothing. */
export const CARRY_MODES = ["activated", "all", "none"] as const;

/** The setting of each field that has one. */
export const listUsual = (fields: readonly JobField[]): readonly Setting[] =>
  fields
    .filter(({ isUsual }) => isUsual)
    .map((field) => ({ name: `default_${field.field}`, kind: "field", field, fallback: "" }));

export const SETTINGS: readonly Setting[] = [
  { name: "user", kind: "text", fallback: "" },
  { name: "default_target", kind: "text", fallback: "local" },
  { name: "default_integrations", kind: "list", choices: INTEGRATION_NAMES, fallback: [] },
  { name: "default_notifications", kind: "list", choices: NOTIFICATION_NAMES, fallback: [] },
  { name: "enable_git_tag_push", kind: "switch", fallback: false },
  { name: "autostart", kind: "switch", fallback: true },
  { name: "carry_environment", kind: "choice", choices: CARRY_MODES, fallback: CARRY_MODES[0] },
  ...listUsual(JOB_FIELDS),
];

const SWITCH = /^(?:true|yes|on|1|false|no|off|0)?$/i;
const ON = /^(?:true|yes|on|1)$/i;

export const isOn = (value: unknown): boolean => ON.test(String(value));

export const splitList = (text: string): readonly string[] =>
  text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));

export const nameVariable = (name: string): string => `NEXUS_${name.toUpperCase()}`;

type Choosing = Pick<Setting, "kind" | "choices">;

const describeChoices = (name: string, { kind, choices = [] }: Choosing): string =>
  `${name} is ${kind === "choice" ? "one of" : "a list of"}: ${choices.join(", ")}`;

const describeWrongField = (name: string, field: JobField, value: unknown): string | null => {
  const problem = value === "" ? null : describeWrongValue(field, value);
  return problem === null ? null : `${name} ${problem}`;
};

const describeWrong = ({ name, kind, field, choices = [] }: Setting, value: unknown): string | null => {
  if (field !== undefined) return describeWrongField(name, field, value);
  if (kind === "text") return typeof value === "string" ? null : `${name} is a text in quotes`;
  if (kind === "switch") return typeof value === "boolean" ? null : `${name} is true or false`;
  const parts = kind === "choice" ? [value] : value;
  const isRight = Array.isArray(parts) && parts.every((part) => choices.includes(String(part)));
  return isRight ? null : describeChoices(name, { kind, choices });
};

/** The first known key with a value that it can't have; unknown keys are the user's own affair. */
export const findWrongSetting = (
  config: Readonly<Record<string, unknown>>,
): Readonly<{ name: string; problem: string }> | null => {
  for (const setting of SETTINGS) {
    const value = config[setting.name];
    const problem = value === undefined ? null : describeWrong(setting, value);
    if (problem !== null) return { name: setting.name, problem };
  }
  return null;
};

const describeWrongText = (variable: string, text: string, { kind, choices = [] }: Choosing): string | null => {
  if (kind === "switch") return SWITCH.test(text) ? null : `${variable} is true or false, not "${text}"`;
  if (kind === "text" || text === "") return null;
  const parts = kind === "choice" ? [text] : splitList(text);
  const unknown = parts.find((part) => !choices.includes(part));
  return unknown === undefined ? null : `${describeChoices(variable, { kind, choices })}, not "${unknown}"`;
};

const describeWrongVariable = ({ name, field, ...choosing }: Setting): string | null => {
  const variable = nameVariable(name);
  const text = process.env[variable] ?? "";
  if (field === undefined) return describeWrongText(variable, text, choosing);
  return describeWrongField(variable, field, field.flag.value === undefined ? isOn(text) : text);
};

/** The same of the variables that stand for the keys. */
export const findWrongVariable = (): string | null =>
  SETTINGS.map(describeWrongVariable).find((problem) => problem !== null) ?? null;
