import { formatMib } from "../../../base/sizes.ts";
import type { WireJob } from "../../../wire/job.ts";

const describeGpuKind = ({ vram_mib: vram, min_vram_mib: least, gpu_type: type }: Partial<WireJob>): string =>
  [
    ...(vram ? [`${formatMib(vram)} of each, shared`] : []),
    ...(least ? [`with at least ${formatMib(least)}`] : []),
    ...(type ? [`of type ${type}`] : []),
  ].join(", ");

const describeUse = ({ gpu_use: use = null }: WireJob): string | null =>
  use === null
    ? null
    : `mean ${Math.round(use.mean_percent)} %, peak ${Math.round(use.peak_percent)} %, idle ${Math.round(use.idle_share * 100)} % of the time`;

/** What GPUs a job is to have, and what it made of those that it had. */
export const listGpuFacts = (job: WireJob): readonly (readonly [string, string | null])[] => [
  ["gpu kind", describeGpuKind(job)],
  ["gpu use", describeUse(job)],
  ["gpu memory", job.vram_peak_mib ? `${formatMib(job.vram_peak_mib)} at most` : null],
];
