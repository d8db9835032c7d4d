import type { WireJob } from "../job.ts";
import type { AskedFields } from "./job-fields.ts";

type Machine = Pick<Partial<WireJob>, "vram_mib" | "min_vram_mib" | "gpu_type" | "cpus" | "memory_mib">;

const sameMachine = ({ vram_mib, min_vram_mib, gpu_type, cpus, memory_mib }: Machine): AskedFields => ({
  ...(vram_mib ? { vram_mib } : {}),
  ...(min_vram_mib ? { min_vram_mib } : {}),
  ...(gpu_type ? { gpu_type } : {}),
  ...(cpus ? { cpus } : {}),
  ...(memory_mib ? { memory_mib } : {}),
});

/** Of a request for a job again what it asked for; a server of an earlier version tells nothing of it. */
export const sameFields = ({ name, note, time_limit_s, warn_s, retry, ...job }: Partial<WireJob>): AskedFields => ({
  ...(name ? { name } : {}),
  ...(note ? { note } : {}),
  ...(time_limit_s ? { time_limit_s } : {}),
  ...(warn_s ? { warn_s } : {}),
  ...(job.no_passing ? { no_passing: true } : {}),
  ...(retry ? { retry } : {}),
  ...sameMachine(job),
});
