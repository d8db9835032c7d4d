import type { Health } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { hint } from "../terminal/output.ts";
import { describeIllHealth } from "./health-text.ts";

const PATIENCE_MS = 200;

const wait = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, ms, null).unref());

/** Warns of an unhealthy machine, if the server says so within `patienceMs`. */
export const warnOfHealth = async (api: Api, patienceMs: number = PATIENCE_MS): Promise<void> => {
  const health = await Promise.race([api.get<Health>("/v1/health?detailed=true"), wait(patienceMs)]);
  if (!health?.ok || health.value.status !== "unhealthy") return;
  const text = describeIllHealth(health.value);
  if (text !== null) hint(`Warning: ${text}`);
};
