import { z } from "zod";

/** A text of which `describe` finds nothing wrong, or says what is. */
export const checkText = (describe: (text: string) => string | null): z.ZodString =>
  z.string().superRefine((text, context) => {
    const message = describe(text);
    if (message !== null) context.addIssue({ code: "custom", message });
  });
