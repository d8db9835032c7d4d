import { quoteWord } from "../../../base/quote-word.ts";

export type Option = Readonly<{ name: string; value: string }>;

/** `gpus` of the whole job; `impossible` are the requests that can't be had, or of which it can't be told how many they are. */
export type GpuRequest = Readonly<{ gpus: number; impossible: readonly string[] }>;

const GPU_OPTIONS = ["gres", "gpus", "gpus-per-node", "gpus-per-task"];
const TASK_OPTIONS = ["ntasks", "ntasks-per-node"];
const MANNERS = ["gres-flags", "gpu-bind", "gpu-freq"];
const SHARES = ["cpus-per-gpu", "mem-per-gpu"];
const GPUS = /^(?:gpu:)?(?:[A-Za-z][\w.-]*:)?(\d+)$/;
const REQUEST = /gpu|gres|tres/i;

export const nameOption = ({ name, value }: Option): string => {
  const flag = name.startsWith("-") ? name : `--${name}`;
  return value === "" ? flag : `${flag}=${quoteWord(value)}`;
};

const countOne = ({ name, value }: Option): number | null => {
  if (name === "gres" && /^gpu(:[A-Za-z][\w.-]*)?$/.test(value)) return 1;
  const match = name === "gres" && !value.startsWith("gpu:") ? null : GPUS.exec(value);
  return match === null ? null : Number(match[1]);
};

const countTasks = (options: readonly Option[]): number | null => {
  const tasks = options.findLast(({ name }) => TASK_OPTIONS.includes(name));
  return tasks !== undefined && /^[1-9]\d{0,3}$/.test(tasks.value) ? Number(tasks.value) : null;
};

const countAll = (option: Option, tasks: number | null): number | null => {
  const one = countOne(option);
  return option.name !== "gpus-per-task" || one === null ? one : tasks && one * tasks;
};

const isOther = ({ name }: Option): boolean =>
  REQUEST.test(name) && ![GPU_OPTIONS, MANNERS, SHARES].some((names) => names.includes(name));

const isVague = ({ name, value }: Option): boolean =>
  !MANNERS.includes(name) && (SHARES.includes(name) || REQUEST.test(value));

const refuse = (options: readonly Option[], why: string): GpuRequest => ({
  gpus: 0,
  impossible: options.map((option) => nameOption(option) + why),
});

const addUp = (asked: readonly Option[], options: readonly Option[]): GpuRequest => {
  const tasks = countTasks(options);
  const isTotalKnown = asked.some(({ name }) => name === "gpus");
  const counted = asked.filter(({ name }) => tasks !== null || name !== "gpus-per-task" || !isTotalKnown);
  const counts = counted.map((option) => countAll(option, tasks));
  const unknown = counted.filter((_option, index) => counts[index] === null);
  if (unknown.length > 0)
    return refuse(unknown, unknown.some(({ name }) => name === "gpus-per-task") ? " (of how many tasks?)" : "");
  return new Set(counts).size === 1 ? { gpus: counts[0] ?? 0, impossible: [] } : refuse(asked, " (which of them?)");
};

/** Of one node, as there are no more here. */
export const readGpuRequest = (options: readonly Option[]): GpuRequest => {
  const others = options.filter(isOther);
  if (others.length > 0) return refuse(others, "");
  const asked = GPU_OPTIONS.flatMap((name) => options.findLast((option) => option.name === name) ?? []);
  return asked.length > 0 ? addUp(asked, options) : refuse(options.filter(isVague), " (how many GPUs?)");
};

export const isGpuOption = (option: Option): boolean => GPU_OPTIONS.includes(option.name) || isOther(option);
