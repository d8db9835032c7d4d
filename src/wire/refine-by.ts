import type { z } from "zod";

/** A check for `superRefine` by what describes a mistake, null where there is none. */
export const refineBy =
  <Value>(describeMistake: (value: Value) => string | null) =>
  (value: Value, context: z.RefinementCtx): void => {
    const message = describeMistake(value);
    if (message !== null) context.addIssue({ code: "custom", message });
  };
