import type { Health } from "../shared/node.ts";
import type { Api } from "./api-client.ts";
import { describeIllHealth } from "./health-text.ts";
import { hint } from "./output.ts";

const PATIENCE_MS = 200;

/** Warns of an unhealthy machine, if the server says so in time. */
export const warnOfHealth = async (api: Api): Promise<void> => {
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null).unref());
  const health = await Promise.race([api.get<Health>("/v1/health?detailed=true"), late]);
  if (!health?.ok || health.value.status !== "unhealthy") return;
  const text = describeIllHealth(health.value);
  if (text !== null) hint(`Warning: ${text}`);
};
