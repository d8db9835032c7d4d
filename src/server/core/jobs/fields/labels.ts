import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** What people call it; null where that was taken away. */
export type Labels = Readonly<{ name?: string | null; note?: string | null }>;

export const readLabels = ({ name, note }: AskedFields): Labels => takeGiven({ name, note });

export const tellLabels = ({ name = null, note = null }: Labels): Pick<ToldFields, "name" | "note"> => ({ name, note });
