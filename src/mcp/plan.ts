import type { JobRequestInput, WireJob } from "../wire/job.ts";
import type { AskedFields } from "../wire/job-fields/job-fields.ts";
import type { Answer } from "./ask.ts";

/** What is asked to run; each command is a line for the shell, as it is. `code`: whether that of the user's folder travels, where it is not said as is usual. */
export type Wanted = Readonly<{
  commands: readonly string[];
  gpus?: number | undefined;
  gpu_idxs?: readonly number[] | undefined;
  priority?: number | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  outputs?: readonly string[] | undefined;
  code?: boolean | undefined;
}> &
  AskedFields;

/** A job to run again, and what shall differ; `without` are variables to leave out. */
export type Again = Readonly<{
  id: string;
  command?: string | undefined;
  gpus?: number | undefined;
  priority?: number | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  without?: readonly string[] | undefined;
}>;

/** What would be sent of the user's code. */
export type PlannedCode = Readonly<{
  folder: string;
  branch: string | null;
  commit: string | null;
  dirty: boolean;
  tree: string;
}>;

/** What would be submitted, and how. `notes` is what is to be known of it. */
export type Plan = Readonly<{
  requests: readonly JobRequestInput[];
  code: PlannedCode | null;
  notes: readonly string[];
  submit: () => Answer<Readonly<{ jobs: readonly WireJob[]; notes: readonly string[] }>>;
}>;

export type Planner = Readonly<{
  planNew: (wanted: Wanted) => Answer<Plan>;
  planAgain: (again: Again) => Answer<Plan>;
}>;
