import { MAX_CPUS } from "../../../wire/job-fields/host-parts.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Fields } from "./field.ts";
import { number, SWITCH, whole } from "./field-kinds.ts";

const MOST_JOBS = 10_000;

/** How much of the machine jobs may have in all. */
export const MACHINE_SETTINGS = {
  maxCpuJobs: {
    schema: whole(0, MOST_JOBS),
    otherwise: "one for each processor",
    about: "CPU jobs that run at one time",
  },
  cpus: { schema: whole(1, MAX_CPUS), otherwise: "all that the machine has", about: "CPUs that jobs may book in all" },
  memoryGb: {
    schema: number(0.001, 1_000_000),
    otherwise: "seven eighths of the machine's",
    about: "GiB of the machine's memory that jobs may book in all",
  },
  bookCpus: {
    schema: SWITCH,
    fallback: false,
    about: "whether a job with GPUs that names no CPUs books its GPUs' part of them",
  },
} satisfies Fields<Pick<Settings, "maxCpuJobs" | "cpus" | "memoryGb" | "bookCpus">>;
