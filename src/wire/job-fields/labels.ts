import { z } from "zod";
import { checkText } from "./check-text.ts";
import { describeNameMistake, describeNoteMistake } from "./label-rules.ts";

const nameSchema = checkText(describeNameMistake).meta({
  pattern: "^[A-Za-z][A-Za-z0-9._-]{0,63}$",
  description: "Selects the job, with all others that bear it",
});

const noteSchema = checkText(describeNoteMistake).meta({ description: "At most 4 KiB in UTF-8" });

export const labelFields = {
  asked: { name: nameSchema.nullish(), note: noteSchema.nullish() },
  told: { name: z.string().nullable(), note: z.string().nullable() },
};
