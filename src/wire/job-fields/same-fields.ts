import type { WireJob } from "../job.ts";
import type { AskedFields } from "./job-fields.ts";

/** Of a request for a job again what it asked for; a server of an earlier version tells nothing of it. */
export const sameFields = ({ name, note, time_limit_s, warn_s, retry, no_passing }: Partial<WireJob>): AskedFields => ({
  ...(name ? { name } : {}),
  ...(note ? { note } : {}),
  ...(time_limit_s ? { time_limit_s } : {}),
  ...(warn_s ? { warn_s } : {}),
  ...(no_passing ? { no_passing } : {}),
  ...(retry ? { retry } : {}),
});
