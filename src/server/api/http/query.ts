import { z } from "zod";
import { globsSchema } from "../../../wire/files.ts";
import { JOB_STATUSES } from "../../../wire/job.ts";
import { MAX_TERMINAL_SIDE } from "../../../wire/limits.ts";
import { LOG_FILES, LOG_FORMS } from "../../../wire/node.ts";
import { USAGE_KEYS } from "../../../wire/usage/usage.ts";

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;
const TRUE = /^(true|1|yes|on|t|y)$/i;
const FALSE = /^(false|0|no|off|f|n)$/i;

const takeLast = (values: unknown): unknown => (Array.isArray(values) ? values.at(-1) : values);

const toInteger = (values: unknown): unknown => {
  const text = takeLast(values);
  return typeof text === "string" && INTEGER.test(text) ? Number(text) : text;
};

const toNumber = (values: unknown): unknown => {
  const text = takeLast(values);
  return typeof text === "string" && DECIMAL.test(text) ? Number(text) : text;
};

const toBoolean = (values: unknown): unknown => {
  const text = takeLast(values);
  if (typeof text !== "string") return text;
  return TRUE.test(text) || (FALSE.test(text) ? false : text);
};

const flag = z.preprocess(toBoolean, z.boolean()).default(false);
const text = z.preprocess(takeLast, z.string()).optional();
const unixSeconds = z.preprocess(toNumber, z.number()).optional();
const logPosition = z.preprocess(toInteger, z.int().min(0)).optional();
export const attempt = z.preprocess(toInteger, z.int().min(1)).optional();
export const lastLines = z.preprocess(toInteger, z.int().min(1)).optional();

export const healthQuerySchema = z.object({ detailed: flag, refresh: flag });

const MAX_DAYS = 366;

export const usageQuerySchema = z.object({
  days: z.preprocess(toInteger, z.int().min(1).max(MAX_DAYS)).default(7),
  since: unixSeconds,
  by: z.preprocess(takeLast, z.enum(USAGE_KEYS)).default("user"),
  user: text,
  limit: z.preprocess(toInteger, z.int().min(1).max(10_000)).default(1000),
});

export const heldEstimatesQuerySchema = usageQuerySchema.pick({ days: true, since: true, user: true });

export const statusQuerySchema = z.object({ user: text });

const logFile = z.preprocess(takeLast, z.enum(LOG_FILES)).default("output");

const logForm = z.preprocess(takeLast, z.enum(LOG_FORMS)).default("json");

export const logsQuerySchema = z.object({
  last_n_lines: lastLines,
  file: logFile,
  attempt,
  since: unixSeconds,
  format: logForm,
  resumable: flag,
  from: logPosition,
});

export const streamQuerySchema = z.object({
  last_n_lines: lastLines,
  since: unixSeconds,
  resumable: flag,
  from: logPosition,
  marked: flag,
  attempt,
});

const terminalSide = (usual: number) => z.preprocess(toInteger, z.int().min(1).max(MAX_TERMINAL_SIDE)).default(usual);
const terminalKind = z.preprocess(takeLast, z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/));

export const attachQuerySchema = z.object({
  columns: terminalSide(80),
  rows: terminalSide(24),
  term: terminalKind.default("xterm-256color"),
  read_only: flag,
});

export const artifactQuerySchema = z.object({
  git_sha: z
    .preprocess(
      takeLast,
      z
        .string()
        .regex(/^[0-9a-fA-F]{4,64}$/)
        .toLowerCase(),
    )
    .optional(),
});

const limit = z.preprocess(toInteger, z.int().min(1).max(10_000)).default(1000);
const offset = z.preprocess(toInteger, z.int().min(0)).default(0);

export const filesQuerySchema = z.object({ path: text.default(""), limit, offset, attempt });

export const fileQuerySchema = z.object({ attempt });

export const tarQuerySchema = z.object({ glob: globsSchema.default([]), attempt });

export const batchesQuerySchema = z.object({
  user: text,
  limit: z.preprocess(toInteger, z.int().min(1).max(1000)).default(20),
});

export const jobsQuerySchema = z.object({
  status: z.array(z.enum(JOB_STATUSES)).optional(),
  gpu_index: z.preprocess(toInteger, z.int()).optional(),
  user: text,
  batch_id: text,
  name: text,
  command_regex: text,
  ended_since: unixSeconds,
  ended_until: unixSeconds,
  exit_code: z.preprocess(toInteger, z.int()).optional(),
  explain: flag,
  limit,
  offset,
});
