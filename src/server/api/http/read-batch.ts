import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import type { ErrorDetail } from "../../../wire/error.ts";
import { type JobSubmission, jobSubmissionSchema } from "../../../wire/job.ts";
import { MAX_BATCH_SIZE } from "../../../wire/limits.ts";
import { createInvalid, type Refusal } from "../../core/refusal.ts";
import { refuseOversized } from "./oversized.ts";
import { readJsonValue } from "./read-json.ts";
import { validate } from "./validation.ts";

const ENOUGH_MISTAKES = 100;

const listSchema = z.array(z.unknown()).min(1).max(MAX_BATCH_SIZE);

const validateItem = (item: unknown, index: number): Result<JobSubmission, Refusal> => {
  const size = refuseOversized(item, ["body", index]);
  return size.ok ? validate(jobSubmissionSchema, item, ["body", index]) : size;
};

const validateItems = (items: readonly unknown[]): Result<readonly JobSubmission[], Refusal> => {
  const requests: JobSubmission[] = [];
  const mistakes: ErrorDetail[] = [];
  for (const [index, item] of items.entries()) {
    const request = validateItem(item, index);
    if (request.ok) requests.push(request.value);
    else mistakes.push(...(request.error.detail ?? []));
    if (mistakes.length >= ENOUGH_MISTAKES) break;
  }
  return mistakes.length === 0 ? ok(requests) : err(createInvalid(mistakes));
};

/** The requests of a batch; validation ends after the first hundred mistakes. */
export const readBatch = async (
  request: Request,
  timeoutS: number,
): Promise<Result<readonly JobSubmission[], Refusal>> => {
  const json = await readJsonValue(request, timeoutS);
  if (!json.ok) return json;
  const items = validate(listSchema, json.value, ["body"]);
  return items.ok ? validateItems(items.value) : items;
};
