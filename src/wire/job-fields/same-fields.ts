import type { WireJob } from "../job.ts";
import type { AskedFields } from "./job-fields.ts";

/** Of a request for a job again what it asked for; a server of an earlier version tells nothing of it. */
export const sameFields = ({ name, note, time_limit_s, warn_s, retry, ...job }: Partial<WireJob>): AskedFields => ({
  ...(name ? { name } : {}),
  ...(note ? { note } : {}),
  ...(time_limit_s ? { time_limit_s } : {}),
  ...(warn_s ? { warn_s } : {}),
  ...(job.no_passing ? { no_passing: true } : {}),
  ...(retry ? { retry } : {}),
  ...(job.vram_mib ? { vram_mib: job.vram_mib } : {}),
  ...(job.min_vram_mib ? { min_vram_mib: job.min_vram_mib } : {}),
  ...(job.gpu_type ? { gpu_type: job.gpu_type } : {}),
});
