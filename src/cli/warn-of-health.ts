import type { Health } from "../shared/node.ts";
import type { Api } from "./api-client.ts";
import { describeIllHealth } from "./health-text.ts";
import { hint } from "./output.ts";

const PATIENCE_MS = 200;

const wait = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, ms, null).unref());

/** Warns of an unhealthy machine, if the server says so within `patienceMs`. */
export const warnOfHealth = async (api: Api, patienceMs: number = PATIENCE_MS): Promise<void> => {
  const health = await Promise.race([api.get<Health>("/v1/health?detailed=true"), wait(patienceMs)]);
  if (!health?.ok || health.value.status !== "unhealthy") return;
  const text = describeIllHealth(health.value);
  if (text !== null) hint(`Warning: ${text}`);
};
