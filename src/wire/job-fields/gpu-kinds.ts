import { z } from "zod";

/** A PiB. */
export const MAX_GPU_MIB = 1_073_741_824;

const MAX_TYPE_LENGTH = 64;

const memorySchema = z.int().min(1).max(MAX_GPU_MIB);

export const isGpuType = (text: string): boolean =>
  text.trim() !== "" && text.length <= MAX_TYPE_LENGTH && /^[\x20-\x7e]+$/.test(text);

const told = { vram_mib: z.int().nullable(), min_vram_mib: z.int().nullable(), gpu_type: z.string().nullable() };

export const gpuKindFields = {
  asked: {
    vram_mib: memorySchema.nullish().meta({
      description:
        "MiB of each of its GPUs: so much is booked, and others that name theirs may be there, too. Without it, the job has its GPUs alone",
    }),
    min_vram_mib: memorySchema.nullish().meta({ description: "MiB that each of its GPUs has at least" }),
    gpu_type: z
      .string()
      .refine(isGpuType, "A type of GPU is a part of its name, of at most 64 characters")
      .nullish()
      .meta({ description: "A part of the name of its GPUs, in any case" }),
  },
  told,
};
