import { isScarce, needsCare } from "../../wire/health-care.ts";
import type { Health } from "../../wire/node.ts";

const GIB = 1024 ** 3;

/** How the machine does, in a word. That it is busy is what it is for. */
export const nameHealth = (health: Health): string => {
  if (health.status === null) return "unknown";
  if (needsCare(health)) return "unhealthy";
  if (isScarce(health.disk)) return "disk nearly full";
  return health.status === "healthy" ? "healthy" : "busy";
};

export const formatScore = ({ score }: Health): string => (score === null ? "" : ` (${score.toFixed(0)} of 100)`);

/** What somebody should do something about; null where there is nothing. */
export const describeIllHealth = (health: Health): string | null => {
  const { disk, status } = health;
  if (status === null || status === "healthy" || disk === null || !isScarce(disk)) return null;
  const name = disk.place === "/" ? "disk /" : "disk";
  const figures = `${disk.percent_used.toFixed(0)} % used, ${(disk.free / GIB).toFixed(1)} GiB free`;
  return needsCare(health)
    ? `the machine is unhealthy${formatScore(health)}: ${name} ${figures}`
    : `the ${name} is nearly full: ${figures}`;
};
