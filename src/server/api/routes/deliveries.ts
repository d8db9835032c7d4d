import { z } from "zod";
import { ok } from "../../../base/result.ts";
import { deliverySchema } from "../../../wire/delivery.ts";
import { toWireDelivery } from "../../core/notices/wire-delivery.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const spec = {
  method: "get",
  path: "/v1/jobs/{id}/deliveries",
  tags: ["jobs"],
  summary: "Who was told of the job, and what came of it",
  description: "Notifications and uploads of the job, oldest first. They are kept for 30 days.",
  params: jobParams,
  responses: { 200: describeJson("The deliveries", z.array(deliverySchema)), ...describeErrors("JOB_NOT_FOUND") },
} satisfies RouteSpec;

export const createDeliveryRoute = ({ store }: ApiContext): Route =>
  defineRoute(spec, ({ params }) => {
    const job = findJob(store, params.id);
    if (!job.ok) return job;
    return ok(Response.json(store.outbox.listOfJob(job.value.id).map((message) => toWireDelivery(message))));
  });
