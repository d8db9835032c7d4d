import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import type { ErrorDetail } from "../../../wire/error.ts";
import { createInvalid, type Refusal } from "../../core/refusal.ts";
import { checkedJsonBody } from "./json-body.ts";
import type { RequestBody } from "./request-body.ts";
import { validate, validateSized } from "./validation.ts";

const ENOUGH_MISTAKES = 100;

const validateItems = <Item extends z.ZodType>(
  schema: Item,
  items: readonly unknown[],
): Result<readonly z.output<Item>[], Refusal> => {
  const values: z.output<Item>[] = [];
  const mistakes: ErrorDetail[] = [];
  for (const [index, item] of items.entries()) {
    const valid = validateSized(schema, item, ["body", index]);
    if (valid.ok) values.push(valid.value);
    else mistakes.push(...(valid.error.detail ?? []));
    if (mistakes.length >= ENOUGH_MISTAKES) break;
  }
  return mistakes.length === 0 ? ok(values) : err(createInvalid(mistakes));
};

/** A list of 1 to `maxItems`, as JSON; validation ends after the first hundred mistakes. */
export const listBody = <Item extends z.ZodType>(
  schema: Item,
  maxItems: number,
): RequestBody<readonly z.output<Item>[]> => {
  const anything = z.array(z.unknown()).min(1).max(maxItems);
  return checkedJsonBody(z.array(schema).min(1).max(maxItems), (value) => {
    const items = validate(anything, value, ["body"]);
    return items.ok ? validateItems(schema, items.value) : items;
  });
};
