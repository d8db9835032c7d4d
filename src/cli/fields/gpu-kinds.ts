import { parseSize } from "../../base/sizes.ts";
import { isGpuType, MAX_GPU_MIB } from "../../wire/job-fields/gpu-kinds.ts";
import type { JobField } from "./job-field.ts";

const isSize = (text: string): boolean => {
  const mib = parseSize(text);
  return mib !== null && mib > 0 && mib <= MAX_GPU_MIB;
};

const ABOUT_GPUS = { isUsual: true, waits: false };
const ABOUT_SIZES = { ...ABOUT_GPUS, what: "a size such as 512M or 10G", isRight: isSize };

const convertType = (value: string, option?: string): string | null => {
  const request = option === "gres" ? (/^gpu:(.*)/.exec(value)?.[1] ?? "") : value.replace(/^gpu:/, "");
  return /^([A-Za-z][\w.-]*)(?::\d+)?$/.exec(request)?.[1] ?? null;
};

export const GPU_KINDS: readonly JobField[] = [
  {
    ...ABOUT_SIZES,
    flag: { long: "vram", value: "SIZE", help: "book so much of each GPU, such as 10G, and share it" },
    field: "vram_mib",
    rivals: ["cpu", "min-vram"],
    toFields: ([text = ""]) => ({ vram_mib: parseSize(text) }),
  },
  {
    ...ABOUT_SIZES,
    flag: { long: "min-vram", value: "SIZE", help: "a GPU of its own, with so much memory at least" },
    field: "min_vram_mib",
    rivals: ["cpu", "vram"],
    toFields: ([text = ""]) => ({ min_vram_mib: parseSize(text) }),
  },
  {
    ...ABOUT_GPUS,
    flag: { long: "gpu-type", value: "NAME", help: "a GPU with this in its name, such as A100" },
    field: "gpu_type",
    rivals: ["cpu"],
    what: "a part of a GPU's name, of at most 64 characters",
    isRight: isGpuType,
    toFields: ([text]) => ({ gpu_type: text }),
    sbatch: { option: "gres", others: ["gpus", "gpus-per-node", "gpus-per-task"], convert: convertType },
  },
];
