import { z } from "zod";
import { ok } from "../../../base/result.ts";
import { batchSchema, type WireBatch } from "../../../wire/batches/batch.ts";
import type { BatchCounts } from "../../core/store.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { batchesQuerySchema } from "../http/query.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const listSpec = {
  method: "get",
  path: "/v1/batches",
  tags: ["jobs"],
  summary: "Batches of jobs, the newest first",
  description: "A batch is what one request of several jobs made. `queued` counts those between two attempts, too.",
  query: batchesQuerySchema,
  responses: { 200: describeJson("The batches", z.array(batchSchema)), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const toWireBatch = ({ id, first, counts }: BatchCounts): WireBatch => ({
  id,
  user: first.user,
  name: first.name ?? null,
  command: first.command,
  created_at: first.createdAt,
  batch_max: first.batchMax ?? null,
  queued: counts.queued,
  running: counts.starting + counts.running,
  completed: counts.completed,
  failed: counts.failed,
  killed: counts.killed,
});

const list =
  ({ store }: ApiContext): Handle<typeof listSpec> =>
  ({ query }) =>
    ok(Response.json(store.listBatches(query.user ?? null, query.limit).map(toWireBatch)));

export const createBatchRoutes = (context: ApiContext): readonly Route[] => [defineRoute(listSpec, list(context))];
