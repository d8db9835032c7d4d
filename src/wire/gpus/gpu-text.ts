import { escapeText } from "../../base/escape-text.ts";
import { formatMib } from "../../base/sizes.ts";
import type { WireGpu } from "../gpu.ts";
import { tellReservation } from "../reservations/reservation-text.ts";

type GpuUse = Readonly<{ text: string; tone: "good" | "taken" | "bad" }>;

const bad = (text: string): GpuUse => ({ text, tone: "bad" });

const tellBooked = ({ vram_booked_mib: mib = 0, memory_total: total }: Partial<WireGpu>): string =>
  mib === 0 || !total ? "" : ` (${formatMib(mib)} of ${formatMib(total)} booked)`;

const listUsers = (gpu: WireGpu): readonly GpuUse[] => {
  const { running_job_id: id, process_count, unseen_use, job_ids: ids }: Partial<WireGpu> = gpu;
  if (ids !== undefined && ids.length > 1) return [{ text: `jobs ${ids.join(", ")}${tellBooked(gpu)}`, tone: "taken" }];
  if (id) return [{ text: `job ${id}${tellBooked(gpu)}`, tone: "taken" }];
  if ((process_count ?? 0) > 0) return [bad("in use by others")];
  return unseen_use ? [bad("in use by others (process not visible)")] : [];
};

const listReserved = (gpu: WireGpu, isNow: boolean, tell?: (seconds: number) => string): readonly GpuUse[] => {
  const { is_reserved = false, reservations: [first] = [] }: Partial<WireGpu> = gpu;
  return first === undefined || is_reserved !== isNow
    ? []
    : [{ text: tellReservation(first, isNow, tell), tone: "taken" }];
};

const listNow = (gpu: WireGpu, tell?: (seconds: number) => string): readonly GpuUse[] => {
  const uses = [
    ...listUsers(gpu),
    ...(gpu.fault ? [bad(`out of order: ${escapeText(gpu.fault)}`)] : []),
    ...(gpu.is_blacklisted ? [bad("blacklisted")] : []),
    ...listReserved(gpu, true, tell),
  ];
  if (uses.length > 0) return uses;
  return [
    gpu.doubt ? { text: `last choice: ${escapeText(gpu.doubt)}`, tone: "taken" } : { text: "available", tone: "good" },
  ];
};

/** Who uses a GPU, what speaks against it, for whom it is reserved; that it is available where nothing of this is so now. `tell` writes a time. */
export const listGpuUses = (gpu: WireGpu, tell?: (seconds: number) => string): readonly GpuUse[] => [
  ...listNow(gpu, tell),
  ...listReserved(gpu, false, tell),
];

/** Used and whole memory, a dash where the driver does not say. */
export const formatGpuMemory = ({ memory_used: used, memory_total: total }: WireGpu): string =>
  used === null && total === null ? "-" : `${used ?? "-"}/${total ?? "-"}`;
