import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { type JobLabels, readLabels, tellLabels } from "./labels.ts";

/** What is asked for a job beside what it runs, a file for each subject; absent where nobody asked, so also of jobs of earlier versions. */
export type JobFields = JobLabels;

/** Those that a request or a patch gives. */
export const readJobFields = (asked: AskedFields): JobFields => ({ ...readLabels(asked) });

export const tellJobFields = (job: JobFields): ToldFields => ({ ...tellLabels(job) });

const FIELDS_AT_ANY_TIME: ReadonlySet<string> = new Set(["name", "note"] satisfies readonly (keyof JobFields)[]);

/** Whether they say nothing of how a job runs, so that those of any job may be changed. */
export const isForAnyTime = (fields: JobFields): boolean =>
  Object.keys(fields).every((name) => FIELDS_AT_ANY_TIME.has(name));
