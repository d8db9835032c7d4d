import { escapeText } from "../../base/escape-text.ts";
import { DISK_PERCENT } from "../../wire/limits.ts";
import type { Health } from "../../wire/node.ts";

const GIB = 1024 ** 3;

const isOver = (percent: number, { disk }: Health): boolean => (disk?.percent_used ?? 0) > percent;

/** How the machine does, in a word. That it is busy is what it is for. */
export const nameHealth = (health: Health): string => {
  if (health.status === null) return "unknown";
  if (isOver(DISK_PERCENT.full, health)) return "unhealthy";
  if (isOver(DISK_PERCENT.scarce, health)) return "disk nearly full";
  return health.status === "healthy" ? "healthy" : "busy";
};

export const formatScore = ({ score }: Health): string => (score === null ? "" : ` (${score.toFixed(0)} of 100)`);

/** What somebody should do something about; null where there is nothing. */
export const describeIllHealth = (health: Health): string | null => {
  const { disk, status } = health;
  if (status === null || status === "healthy" || disk === null || !isOver(DISK_PERCENT.scarce, health)) return null;
  const name = disk.place === "/" ? "disk /" : "disk";
  const figures = `${disk.percent_used.toFixed(0)} % used, ${(disk.free / GIB).toFixed(1)} GiB free`;
  return isOver(DISK_PERCENT.full, health)
    ? `the machine is unhealthy${formatScore(health)}: ${name} ${figures}`
    : `the ${name} is nearly full: ${figures}`;
};

/** What else somebody should see to, as the server says it. */
export const listHealthWarnings = ({ warnings = [] }: Health): readonly string[] => warnings.map(escapeText);
