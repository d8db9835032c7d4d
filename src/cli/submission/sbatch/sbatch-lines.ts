import type { FlagValues } from "../../../command-line/command.ts";
import { JOB_FIELDS } from "../../fields/field-table.ts";
import { isGpuOption, nameOption, type Option, readGpuRequest } from "./sbatch-gpus.ts";

/** What `#SBATCH` lines would be here: `flags` of its fields, `array` as a list of values; what has no counterpart is `aside`, what can't be had `impossible`. */
export type SbatchLines = Readonly<{
  gpus: number;
  flags: FlagValues;
  array: string | null;
  aside: readonly string[];
  impossible: readonly string[];
}>;

const SBATCH_FIELDS = JOB_FIELDS.flatMap(({ flag, sbatch }) => (sbatch === undefined ? [] : [{ flag, ...sbatch }]));

const SHORT_NAMES: Readonly<Record<string, string>> = {
  G: "gpus",
  N: "nodes",
  n: "ntasks",
  ...Object.fromEntries(SBATCH_FIELDS.flatMap(({ short, option }) => (short === undefined ? [] : [[short, option]]))),
};
const SPAN = /^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$/;
const AT_ONCE = /%[1-9]\d{0,8}$/;
const WORD = /#.*|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|\S)+/g;
const QUOTED = /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g;

const splitLine = (line: string): readonly string[] =>
  [...line.matchAll(WORD)]
    .map(([word]) => word)
    .filter((word) => !word.startsWith("#"))
    .map((word) => word.replace(QUOTED, (_all, inDouble, inSingle, escaped) => inDouble ?? inSingle ?? escaped));

const listWords = (script: string): readonly (readonly string[])[] => {
  const lines = script.split("\n");
  const end = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  return lines
    .slice(0, end === -1 ? lines.length : end)
    .filter((line) => /^#SBATCH\s/.test(line))
    .map((line) => splitLine(line.slice("#SBATCH".length)));
};

const readOption = (word: string, next: string | undefined): Option => {
  const value = next === undefined || next.startsWith("-") ? "" : next;
  const [, long, given] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? [];
  if (long !== undefined) return { name: long, value: given ?? value };
  const [, short = "", glued = ""] = /^-(.)(.*)$/.exec(word) ?? [];
  return { name: SHORT_NAMES[short] ?? `-${short}`, value: glued === "" ? value : glued };
};

const listOptions = (script: string): readonly Option[] =>
  listWords(script).flatMap((words) =>
    words.flatMap((word, index) => (word.startsWith("-") ? [readOption(word, words[index + 1])] : [])),
  );

const convertSpan = (span: string): string | null => {
  const [whole, first, last, step] = SPAN.exec(span) ?? [];
  if (whole === undefined) return null;
  if (last === undefined) return String(Number(first));
  if (Number(last) < Number(first) || Number(step ?? 1) === 0) return null;
  return `{${Number(first)}..${Number(last)}${step === undefined ? "" : `..${Number(step)}`}}`;
};

const convertArray = ({ value }: Option): string | null => {
  const spans = value.replace(AT_ONCE, "").split(",").map(convertSpan);
  if (spans.includes(null)) return null;
  return spans.length === 1 ? (spans[0] ?? null) : `{${spans.join()}}`;
};

const convertField = ({ name, value }: Option): FlagValues => {
  const field = SBATCH_FIELDS.find(({ option, others = [] }) => [option, ...others].includes(name));
  const converted = field?.convert(value, name) ?? null;
  return field === undefined || converted === null ? {} : { [field.flag.long]: converted };
};

const isTaken = (option: Option): boolean =>
  isGpuOption(option) ||
  Object.keys(convertField(option)).length > 0 ||
  ["array", "nodes"].includes(option.name) ||
  (option.name === "ntasks" && option.value === "1");

const listAside = (option: Option): readonly string[] => (isTaken(option) ? [] : [nameOption(option)]);

const isImpossible = (option: Option): boolean => {
  if (option.name === "array") return convertArray(option) === null;
  return option.name === "nodes" && !/^1(-1)?$/.test(option.value);
};

/** Null where there are none before the first command. */
export const readSbatchLines = (script: string): SbatchLines | null => {
  const options = listOptions(script);
  if (options.length === 0) return null;
  const { gpus, impossible } = readGpuRequest(options);
  const array = options.findLast(({ name }) => name === "array");
  return {
    gpus,
    flags: Object.assign({}, ...options.map(convertField)),
    array: array === undefined ? null : convertArray(array),
    aside: options.flatMap(listAside),
    impossible: [...impossible, ...options.filter(isImpossible).map(nameOption)],
  };
};
