import { ok } from "../../../base/result.ts";
import { type Usage, usageSchema } from "../../../wire/gpus/usage.ts";
import { readAgentUse } from "../../changes/agent-use.ts";
import { describeUse } from "../../core/queue/agent-share.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { usageQuerySchema } from "../http/query.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const spec = {
  method: "get",
  path: "/v1/usage",
  tags: ["server"],
  summary: "GPU hours by user",
  description: "Of the last `days`, those that used most first. An agent is told its limits and what is left of them.",
  query: usageQuerySchema,
  responses: { 200: describeJson("The use", usageSchema), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const DAY_S = 24 * 60 * 60;
const SECONDS_AN_HOUR = 3600;

const toHours = (seconds: number): number => Math.round((seconds / SECONDS_AN_HOUR) * 100) / 100;

const describeLimits = ({ store }: ApiContext, request: AppRequest, now: number): Usage["limits"] => {
  const { agent, name } = request.get("identity") ?? {};
  if (agent === undefined || !name) return null;
  const countQueued = (user: string): number => store.countQueuedOf(user);
  return describeUse(agent, readAgentUse(store, countQueued, { user: name, now }));
};

export const createUsageRoute = (context: ApiContext): Route =>
  defineRoute(spec, ({ request, query: { days, user } }) => {
    const until = context.clock();
    const since = until - days * DAY_S;
    const users = context.store
      .listGpuUse({ since, now: until, user })
      .map(({ gpuSeconds, ...use }) => ({ ...use, gpu_hours: toHours(gpuSeconds) }));
    const usage: Usage = { since, until, users, limits: describeLimits(context, request, until) };
    return ok(Response.json(usage));
  });
