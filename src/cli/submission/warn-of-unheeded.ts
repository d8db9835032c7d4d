import type { WireJob } from "../../wire/job.ts";
import type { AskedFields } from "../../wire/job-fields/job-fields.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { listUnheeded } from "../fields/job-field.ts";
import { hint } from "../terminal/output.ts";

type Asked = Readonly<{ [Key in keyof AskedFields]?: unknown }>;

/** Of what was asked, in a request or a patch, that which a server of an earlier version does not know. */
export const warnOfUnheeded = (asked: Asked, job: WireJob): void => {
  const unheeded = listUnheeded(JOB_FIELDS, asked, job);
  if (unheeded.length > 0) hint(`Warning: the server is too old for ${unheeded.join(", ")}, and leaves that out`);
};
