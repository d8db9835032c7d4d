import type { Flag, FlagValues } from "../../command-line/command.ts";
import type { AskedFields } from "../../wire/job-fields/job-fields.ts";

type Sbatch = Readonly<{
  option: string;
  others?: readonly string[];
  short?: string;
  convert: (value: string, option?: string) => string | true | null;
}>;

/**
 * One field of a job: its flag, the key of `.nexus.toml` of the same name, and with `isUsual` the setting `default_FIELD`. `what` ends
 * the sentence "it is …" of a right value, `isRight` judges each text that is given. With
 * `waits` it is of what goes into the queue. A default of it is passed over where one of the `rivals` is given. `sbatch` is the option of `#SBATCH` lines that says the same, as do the `others`; `convert` gives the flag's value, null where there is none.
 */
export type JobField = Readonly<{
  flag: Omit<Flag, "check">;
  field: keyof AskedFields;
  isUsual: boolean;
  waits: boolean;
  what: string;
  isRight: (text: string) => boolean;
  toFields: (texts: readonly string[]) => AskedFields;
  sbatch?: Sbatch;
  rivals?: readonly string[];
}>;

const NONE = "none";

const isSwitch = ({ flag }: JobField): boolean => flag.value === undefined;

const isRightOrNone = (field: JobField, text: string): boolean => text === NONE || field.isRight(text);

export const toFlag = (field: JobField): Flag =>
  isSwitch(field)
    ? field.flag
    : { ...field.flag, check: (text) => (isRightOrNone(field, text) ? null : `be ${field.what}`) };

const listTexts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);

const isOfKind = (field: JobField, value: unknown): boolean => {
  if (isSwitch(field)) return typeof value === "boolean";
  const parts: readonly unknown[] = field.flag.many === true && Array.isArray(value) ? value : [value];
  return parts.length > 0 && parts.every((part) => typeof part === "string" || typeof part === "number");
};

/** What is wrong with a value in a file, as "is a time …"; null for a right one. */
export const describeWrongValue = (field: JobField, value: unknown): string | null => {
  if (!isOfKind(field, value)) return `is ${isSwitch(field) ? "true or false" : field.what}`;
  return isSwitch(field) || listTexts(value).every((text) => isRightOrNone(field, text)) ? null : `is ${field.what}`;
};

/** A right value of a file as the flag would have it; null where that would not be given. */
export const toFlagValue = (field: JobField, value: unknown): string | true | readonly string[] | null => {
  if (isSwitch(field)) return value === true ? true : null;
  return field.flag.many === true ? listTexts(value) : String(value);
};

const readOne = (field: JobField, given: FlagValues[string]): AskedFields => {
  if (given === undefined || given === false) return {};
  const texts = listTexts(given);
  return !isSwitch(field) && texts.includes(NONE) ? { [field.field]: null } : field.toFields(texts);
};

/** What checked flags ask for; null for what they take away. */
export const readFields = (fields: readonly JobField[], flags: FlagValues): AskedFields =>
  Object.assign({}, ...fields.map((field) => readOne(field, flags[field.flag.long])));

type Fields = Readonly<{ [Key in keyof AskedFields]?: unknown }>;

/** The flags of what was asked for and a server of an earlier version does not tell, as it does not know it. */
export const listUnheeded = (fields: readonly JobField[], asked: Fields, told: Fields): readonly string[] =>
  fields
    .filter(({ field }) => ![undefined, null].some((none) => none === asked[field]) && told[field] === undefined)
    .map(({ flag }) => `--${flag.long}`);

/** The flags with their defaults, but for those of a field of which the flags that were given leave nothing. */
export const dropRivals = (fields: readonly JobField[], flags: FlagValues, given: FlagValues): FlagValues => {
  const isOut = ({ flag, rivals = [] }: JobField): boolean =>
    given[flag.long] === undefined && rivals.some((rival) => given[rival] !== undefined);
  const out = new Set(fields.filter(isOut).map(({ flag }) => flag.long));
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !out.has(name)));
};
