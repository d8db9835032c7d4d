import { z } from "zod";
import { MAX_GPU_MIB } from "./gpu-kinds.ts";

export const MAX_CPUS = 65_536;

/** A PiB. */
export const MAX_MEMORY_MIB = MAX_GPU_MIB;

export const hostPartFields = {
  asked: {
    cpus: z
      .int()
      .min(1)
      .max(MAX_CPUS)
      .nullish()
      .meta({ description: "CPUs of the machine that it books; a job without GPUs that does not say books one" }),
    memory_mib: z.int().min(1).max(MAX_MEMORY_MIB).nullish().meta({
      description: "MiB of the machine's memory that it books; none where it does not say",
    }),
  },
  told: { cpus: z.int().nullable(), memory_mib: z.int().nullable() },
};
