import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** What people call it; null where that was taken away. */
export type JobLabels = Readonly<{ name?: string | null; note?: string | null }>;

export const readLabels = ({ name, note }: AskedFields): JobLabels => takeGiven({ name, note });

export const tellLabels = ({ name = null, note = null }: JobLabels): Pick<ToldFields, "name" | "note"> => ({
  name,
  note,
});
