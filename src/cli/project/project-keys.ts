import { escapeText } from "../../base/escape-text.ts";
import { isSecretName, maskUrls } from "../../base/secret-names.ts";
import { suggestNearest } from "../../base/suggest.ts";
import { NOTIFICATION_NAMES } from "../../wire/job-names.ts";
import { GPU_COUNT, PRIORITY } from "../../wire/limits.ts";
import { describeLinksMistake, describePathMistake } from "../../wire/links/link-paths.ts";
import { describeFirstMistake, describeGlobMistake } from "../../wire/output-globs.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { describeWrongValue } from "../fields/job-field.ts";
import type { Table } from "../settings/toml.ts";
import { readLinkText } from "./link-text.ts";

/** `name` is where it stands, `key` the last part of that. */
export type KeyMistake = Readonly<{ name: string; key: string; problem: string }>;

type Check = (value: unknown) => string | null;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const HARMLESS = /^(?:true|false|yes|no|on|off|[\d.]{0,6})$/i;
const TARGET = "target";

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const findWrong = (texts: readonly string[], describe: (text: string) => string | null): string | null => {
  const wrong = texts.find((text) => describe(text) !== null);
  return wrong === undefined ? null : `has "${escapeText(wrong)}": ${describe(wrong)}`;
};

const checkWhole =
  ({ min, max }: Readonly<{ min: number; max: number }>): Check =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? null
      : `is a whole number from ${min} to ${max}`;

const checkSwitch: Check = (value) => (typeof value === "boolean" ? null : "is true or false");

const checkJobrc: Check = (value) => {
  if (value === false) return null;
  return typeof value === "string"
    ? findWrong([value], describePathMistake)
    : "is the path of a file in quotes, or false";
};

const checkOutputs: Check = (value) => {
  if (value === false) return null;
  if (!isTexts(value)) return "is a list of patterns in quotes, or false";
  if (value.length === 0) return "has no pattern; to keep no file it is false";
  const first = describeFirstMistake(value);
  return (
    findWrong(value, describeGlobMistake) ?? (first === null ? null : `has "${escapeText(value[0] ?? "")}": ${first}`)
  );
};

const checkLink: Check = (value) => {
  if (!isTexts(value)) return "is a list of paths in quotes";
  const links = value.map((text) => readLinkText(text));
  const wrong = links.findIndex((link) => !link.ok);
  const problem = describeLinksMistake(links.flatMap((link) => (link.ok ? [link.value.path] : [])));
  const found = links[wrong];
  if (found?.ok === false) return `has "${escapeText(value[wrong] ?? "")}": ${found.error.message}`;
  return problem === null ? null : `is wrong: ${escapeText(problem)}`;
};

const checkNotify: Check = (value) =>
  isTexts(value) && value.every((name) => NOTIFICATION_NAMES.some((known) => known === name))
    ? null
    : `is a list of: ${NOTIFICATION_NAMES.join(", ")}`;

const checkEnv: Check = (value) => (isTable(value) ? null : "is a table of variables");

const OWN_CHECKS: Readonly<Record<string, Check>> = {
  jobrc: checkJobrc,
  outputs: checkOutputs,
  link: checkLink,
  env: checkEnv,
  gpus: checkWhole(GPU_COUNT),
  priority: checkWhole(PRIORITY),
  notify: checkNotify,
  local: checkSwitch,
};

const FIELD_CHECKS: Readonly<Record<string, Check>> = Object.fromEntries(
  JOB_FIELDS.map((field) => [field.flag.long, (value: unknown) => describeWrongValue(field, value)]),
);

const CHECKS = { ...OWN_CHECKS, ...FIELD_CHECKS };

const holdsSecret = (name: string, value: string): boolean =>
  (isSecretName(name) && !HARMLESS.test(value)) || maskUrls(value) !== value;

const checkVariable = (name: string, value: unknown): string | null => {
  if (!VARIABLE.test(name)) return "is no name of a variable: it has letters, digits and _";
  if (typeof value !== "string") return "is a text in quotes";
  if (value.includes("\0")) return "contains a NUL byte";
  return holdsSecret(name, value)
    ? "looks like a secret, and this file travels with the code: set it with nx env set, or in ./.env"
    : null;
};

const listWrongVariables = (place: string, env: unknown): readonly KeyMistake[] =>
  !isTable(env)
    ? []
    : Object.entries(env).flatMap(([key, value]) => {
        const problem = checkVariable(key, value);
        return problem === null ? [] : [{ name: `${place}env.${key}`, key, problem }];
      });

const describeUnknown = (key: string, known: readonly string[]): string => {
  const nearest = suggestNearest(key, known);
  return `is no key; ${nearest === null ? `there are: ${known.join(", ")}` : `did you mean ${nearest}?`}`;
};

const checkKey = (place: string, key: string, value: unknown): readonly KeyMistake[] => {
  const known = [...Object.keys(OWN_CHECKS), ...(place === "" ? [TARGET] : []), ...Object.keys(FIELD_CHECKS)];
  const check = Object.hasOwn(CHECKS, key) ? CHECKS[key] : undefined;
  const problem = check === undefined ? describeUnknown(key, known) : check(value);
  return problem === null ? [] : [{ name: `${place}${key}`, key, problem }];
};

const listInTable = (table: Table, place: string): readonly KeyMistake[] => [
  ...Object.entries(table).flatMap(([key, value]) =>
    place === "" && key === TARGET ? [] : checkKey(place, key, value),
  ),
  ...listWrongVariables(place, table["env"]),
];

const listInTargets = (targets: unknown): readonly KeyMistake[] => {
  const mistaken = { name: TARGET, key: TARGET, problem: "is a table for each target, as [target.lab]" };
  if (targets === undefined) return [];
  if (!isTable(targets)) return [mistaken];
  return Object.entries(targets).flatMap(([name, table]) =>
    isTable(table) ? listInTable(table, `${TARGET}.${name}.`) : [{ ...mistaken, name: `${TARGET}.${name}`, key: name }],
  );
};

/** All that is wrong in a project file. */
export const listKeyMistakes = (table: Table): readonly KeyMistake[] => [
  ...listInTable(table, ""),
  ...listInTargets(table[TARGET]),
];
