import type { WireJob } from "../job.ts";
import type { AskedFields } from "./job-fields.ts";

const keepAsked = <Fields extends object>(fields: Fields): Partial<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => Boolean(value))) as Partial<Fields>;

/** Of a request for a job again what it asked for; a server of an earlier version tells nothing of it. */
export const sameFields = ({ name, note, retry, no_passing, gpu_type, ...job }: Partial<WireJob>): AskedFields => {
  const { time_limit_s, warn_s, max_idle_s, max_silence_s, vram_mib, min_vram_mib, cpus, memory_mib } = job;
  const limits = { time_limit_s, warn_s, max_idle_s, max_silence_s };
  const machine = { vram_mib, min_vram_mib, gpu_type, cpus, memory_mib };
  return keepAsked({ name, note, ...limits, no_passing, retry, ...machine });
};
