import { ok, type Problem, type Result } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import type { Ask } from "./driver-calls.ts";
import { parseFigure } from "./figures.ts";

export type NvidiaHealth = Pick<Gpu, "eccErrors" | "recoveryAction" | "fault">;

/** `query` runs nvidia-smi for these fields of the GPUs in question. */
export type Query = (fields: string) => ReturnType<Ask>;

type Row = Readonly<Record<string, string>>;
type Values = ReadonlyMap<number, Row>;
type Question = { fields: readonly string[]; notBefore: number };

const ACTION = "gpu_recovery_action";
const COUNT = "ecc.errors.uncorrected.volatile.total";
const PENDING = ["retired_pages.pending", "remapped_rows.pending"] as const;
const ASKED_AGAIN_AFTER_S = 60;
const UNKNOWN_FIELD = /Field "([^"]{1,100})" is not a valid field/;
const NO_ACTION = "None";
const WORDS = /^[A-Za-z][A-Za-z0-9 ]{0,60}$/;

const parseRow = (line: string, fields: readonly string[]): readonly [number, Row] | null => {
  const [index = "", ...values] = line.split(",").map((value) => value.trim());
  if (!/^\d{1,4}$/.test(index) || values.length === 0 || values.length > fields.length) return null;
  return [Number(index), Object.fromEntries(values.map((value, place) => [fields[place] ?? "", value]))];
};

const parseRows = (text: string, fields: readonly string[]): Values =>
  new Map(text.split("\n").flatMap((line) => [parseRow(line, fields)].filter((row) => row !== null)));

const isKnown = (value: string): boolean => {
  const figure = parseFigure(value);
  return figure.value !== null || figure.fault !== null;
};

const dropField = ({ fields }: Question, output: string): readonly string[] => {
  const refused = UNKNOWN_FIELD.exec(output)?.[1];
  const rest = refused === undefined ? [] : fields.filter((field) => !field.startsWith(refused));
  return rest.length === fields.length ? [] : rest;
};

const hasNews = (values: Values): boolean => values.values().some((row) => Object.values(row).some(isKnown));

const askFor = async (question: Question, query: Query, clock: Clock): Promise<Result<Values, Problem>> => {
  const { fields } = question;
  if (clock() < question.notBefore) return ok(new Map());
  const output = await query(fields.join(","));
  if (!output.ok) return output;
  const { stdout, stderr, exitCode } = output.value;
  const values = parseRows(stdout, fields);
  if (hasNews(values)) return ok(values);
  const rest = exitCode === 0 ? [] : dropField(question, stdout + stderr);
  if (rest.length === 0) {
    question.notBefore = clock() + ASKED_AGAIN_AFTER_S;
    return ok(new Map());
  }
  question.fields = rest;
  return askFor(question, query, clock);
};

const judgeAction = (action: string | undefined): Pick<NvidiaHealth, "recoveryAction" | "fault"> => {
  if (action === undefined || !isKnown(action)) return { recoveryAction: null, fault: null };
  if (!WORDS.test(action)) return { recoveryAction: null, fault: parseFigure(action).fault };
  return { recoveryAction: action, fault: action === NO_ACTION ? null : `recovery action: ${action}` };
};

const judgeErrors = (values: Row, isCleared: boolean): Pick<NvidiaHealth, "eccErrors" | "fault"> => {
  const { value: eccErrors, fault } = parseFigure(values[COUNT] ?? "N/A");
  const isPending = PENDING.some((field) => values[field] === "Yes") || (!isCleared && (eccErrors ?? 0) > 0);
  return { eccErrors, fault: fault ?? (isPending ? "uncorrectable ECC errors pending" : null) };
};

const judgeHealth = (action: Row, errors: Row): NvidiaHealth => {
  const asked = judgeAction(action[ACTION]);
  const found = judgeErrors(errors, asked.recoveryAction === NO_ACTION);
  return { ...found, ...asked, fault: asked.fault ?? found.fault };
};

/**
 * What the driver says of a GPU's health in fields that not every version has: a driver that does not know them, or has
 * nothing to say, is asked again after a minute. A count of errors alone is no fault where the driver asks for no action.
 */
export const createNvidiaHealth = (
  clock: Clock,
): ((query: Query) => Promise<Result<(index: number) => NvidiaHealth, Problem>>) => {
  const action: Question = { fields: [ACTION], notBefore: 0 };
  const errors: Question = { fields: [COUNT, ...PENDING], notBefore: 0 };

  return async (query) => {
    const [actions, counts] = await Promise.all([askFor(action, query, clock), askFor(errors, query, clock)]);
    if (!actions.ok) return actions;
    if (!counts.ok) return counts;
    return ok((index) => judgeHealth(actions.value.get(index) ?? {}, counts.value.get(index) ?? {}));
  };
};
