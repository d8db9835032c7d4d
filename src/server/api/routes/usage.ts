import { ok } from "../../../base/result.ts";
import { heldEstimatesSchema } from "../../../wire/usage/estimates.ts";
import { type Usage, usageSchema } from "../../../wire/usage/usage.ts";
import { readAgentUse } from "../../changes/agent-use.ts";
import { judgeEstimates } from "../../core/jobs/usage/held-estimates.ts";
import { addUsed, type Tally, tellTally } from "../../core/jobs/usage/tally.ts";
import { describeUse } from "../../core/queue/agent-share.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { heldEstimatesQuerySchema, usageQuerySchema } from "../http/query.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const spec = {
  method: "get",
  path: "/v1/usage",
  tags: ["server"],
  summary: "What was used, by user, name, batch or GPU",
  description:
    "From `since` on, or of the last `days`, those with the most GPU hours first. `users` are the same by user, whatever it is told by. An agent is told its limits and what is left of them.",
  query: usageQuerySchema,
  responses: { 200: describeJson("The use", usageSchema), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const estimatesSpec = {
  method: "get",
  path: "/v1/usage/estimates",
  tags: ["server"],
  summary: "How often estimates of starts held",
  description:
    "Of the jobs that started from `since` on, or in the last `days`, and had an estimate in the answer to their submission. Those that were edited or held since don't count.",
  query: heldEstimatesQuerySchema,
  responses: { 200: describeJson("How often they held", heldEstimatesSchema), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const DAY_S = 24 * 60 * 60;

const NONE: Tally = new Map();

const describeLimits = ({ store }: ApiContext, request: AppRequest, now: number): Usage["limits"] => {
  const { agent, name } = request.get("identity") ?? {};
  if (agent === undefined || !name) return null;
  const countQueued = (user: string): number => store.countQueuedOf(user);
  return describeUse(agent, readAgentUse(store, countQueued, { user: name, now }));
};

const use =
  (context: ApiContext): Handle<typeof spec> =>
  async ({ request, query: { days, user, by, limit, ...query } }) => {
    const until = context.clock();
    const since = query.since ?? until - days * DAY_S;
    const window = { since, until };
    const [ofUsers, tally] = await context.store.foldSpent({ since, user }, [NONE, NONE] as const, (before, jobs) => [
      addUsed(before[0], jobs, { ...window, by: "user" }),
      addUsed(before[1], jobs, { ...window, by }),
    ]);
    const all = tellTally(tally);
    const groups = all.slice(0, limit);
    const users = tellTally(ofUsers).map(({ key, jobs, gpu_hours }) => ({ user: key ?? "", jobs, gpu_hours }));
    const limits = describeLimits(context, request, until);
    const usage: Usage = { ...window, by, groups, left_out: all.length - groups.length, users, limits };
    return ok(Response.json(usage));
  };

const judge =
  ({ store, clock }: ApiContext): Handle<typeof estimatesSpec> =>
  async ({ query: { days, user, ...query } }) => {
    const until = clock();
    const since = query.since ?? until - days * DAY_S;
    return ok(Response.json(judgeEstimates(await store.listEstimates({ since, user }), { since, until })));
  };

export const createUsageRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(spec, use(context)),
  defineRoute(estimatesSpec, judge(context)),
];
