import type { Health } from "../shared/node.ts";
import type { Api } from "./api-client.ts";
import { describeIllHealth } from "./health-text.ts";
import { hint } from "./output.ts";

const PATIENCE_MS = 500;

/** Asks how the machine is; the call that it returns warns of one that is unhealthy, if the answer is there in time. */
export const askForHealth = (api: Api): (() => Promise<void>) => {
  const asked = api.get<Health>("/v1/health?detailed=true");
  return async () => {
    const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null).unref());
    const health = await Promise.race([asked, late]);
    if (!health?.ok || health.value.status !== "unhealthy") return;
    const text = describeIllHealth(health.value);
    if (text !== null) hint(`Warning: ${text}`);
  };
};
