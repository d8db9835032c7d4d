import type { WireJob } from "../job.ts";
import type { AskedFields } from "./job-fields.ts";

/** Of a request for a job again what it asked for; a server of an earlier version tells nothing of it. */
export const sameFields = ({ name, note }: Partial<WireJob>): AskedFields => ({
  ...(name ? { name } : {}),
  ...(note ? { note } : {}),
});
