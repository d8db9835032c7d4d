import type { DiskRoom } from "../../core/machine/disk-room.ts";
import { GPU_USES, type GpuState, nameGpuUse } from "../../core/queue/gpu-selection.ts";
import { isReserved } from "../../core/queue/reservations/reservation.ts";
import type { ChannelFigures, ServerFigures } from "../../core/telemetry/meter.ts";
import { describeGauge, describeValue, type Family, type Labels, type Sample } from "./exposition.ts";

const BYTES_PER_MIB = 1024 * 1024;
const PERCENT = 100;

const labelGpu = ({ index }: GpuState): Labels => ({ gpu: String(index) });

const sampleKnown = (gpus: readonly GpuState[], pick: (gpu: GpuState) => number | null): readonly Sample[] =>
  gpus.flatMap((gpu) => {
    const value = pick(gpu);
    return value === null ? [] : [{ labels: labelGpu(gpu), value }];
  });

const describeUse = (gpus: readonly GpuState[]): readonly Family[] => [
  describeGauge(
    "nexus_gpus",
    "GPUs by what they are used for",
    GPU_USES.map((state) => ({ labels: { state }, value: gpus.filter((gpu) => nameGpuUse(gpu) === state).length })),
  ),
  describeGauge(
    "nexus_gpu_state",
    "1 for the state that the GPU is in, 0 for the others",
    gpus.flatMap((gpu) =>
      GPU_USES.map((state) => ({ labels: { ...labelGpu(gpu), state }, value: Number(nameGpuUse(gpu) === state) })),
    ),
  ),
];

const toBytes = (mib: number | null): number | null => (mib === null ? null : mib * BYTES_PER_MIB);

type Reading = Readonly<{ name: string; help: string; pick: (gpu: GpuState) => number | null }>;

const READINGS: readonly Reading[] = [
  {
    name: "nexus_gpu_memory_total_bytes",
    help: "Memory of the GPU",
    pick: ({ memoryTotal }) => toBytes(memoryTotal),
  },
  {
    name: "nexus_gpu_memory_used_bytes",
    help: "Memory of the GPU that is in use",
    pick: ({ memoryUsed }) => toBytes(memoryUsed),
  },
  {
    name: "nexus_gpu_utilization_ratio",
    help: "Share of the time in which the GPU was busy",
    pick: ({ utilization }) => (utilization === null ? null : utilization / PERCENT),
  },
  { name: "nexus_gpu_temperature_celsius", help: "Temperature", pick: ({ temperature }) => temperature },
  {
    name: "nexus_gpu_reserved",
    help: "1 while only jobs of one user start on the GPU",
    pick: (gpu) => Number(isReserved(gpu)),
  },
  { name: "nexus_gpu_power_watts", help: "Power that the GPU draws", pick: ({ powerDraw }) => powerDraw },
];

const describeInfo = (gpus: readonly GpuState[]): Family =>
  describeGauge(
    "nexus_gpu_info",
    "The name and UUID of the GPU",
    gpus.map((gpu) => ({ labels: { ...labelGpu(gpu), name: gpu.name, uuid: gpu.uuid ?? "" }, value: 1 })),
  );

const describeGpus = (gpus: readonly GpuState[]): readonly Family[] => [
  ...describeUse(gpus),
  describeInfo(gpus),
  ...READINGS.map(({ name, help, pick }) => describeGauge(name, help, sampleKnown(gpus, pick))),
];

const describeEnd = (certificateExpiresAt: number): Family =>
  describeValue(
    "nexus_certificate_expiry_timestamp_seconds",
    "When the server's certificate ends",
    certificateExpiresAt,
  );

const describeDisk = ({ freeBytes, minBytes }: DiskRoom): readonly Family[] => [
  describeValue("nexus_disk_free_bytes", "What is free on the disk of the server's folder", freeBytes),
  describeValue("nexus_disk_min_free_bytes", "While less than this is free there, nothing starts", minBytes),
];

const describeChannels = (channels: readonly ChannelFigures[]): readonly Family[] => [
  describeGauge(
    "nexus_notifications_waiting",
    "Notifications that are not out yet",
    channels.map(({ channel, waiting }) => ({ labels: { channel }, value: waiting })),
  ),
  describeGauge(
    "nexus_notifications_oldest_seconds",
    "For how long the oldest of them has waited",
    channels.map(({ channel, oldestS }) => ({ labels: { channel }, value: oldestS })),
  ),
];

export const describeServer = ({
  version,
  nodeName,
  jobs,
  gpus,
  artifacts,
  disk,
  trouble,
  certificateExpiresAt,
  channels,
}: ServerFigures): readonly Family[] => [
  describeGauge("nexus_build_info", "The version of the server", [{ labels: { version, node: nodeName }, value: 1 }]),
  describeGauge(
    "nexus_jobs",
    "Jobs by status",
    Object.entries(jobs).map(([status, value]) => ({ labels: { status }, value })),
  ),
  describeValue("nexus_gpu_probe_up", "Whether the GPUs can be read", Number(gpus !== null)),
  ...(gpus === null ? [] : describeGpus(gpus)),
  describeValue("nexus_artifacts", "Stored artifacts", artifacts.count),
  describeValue("nexus_artifacts_bytes", "What the stored artifacts take on the disk", artifacts.bytes),
  ...(disk ? describeDisk(disk) : []),
  describeValue(
    "nexus_launch_trouble",
    "Whether the machine keeps every job from starting",
    Number((trouble ?? null) !== null),
  ),
  ...(certificateExpiresAt === null ? [] : [describeEnd(certificateExpiresAt)]),
  ...describeChannels(channels),
];
