import { z } from "zod";
import { deliverySchema } from "../../../wire/delivery.ts";
import { toWireDelivery } from "../../core/notices/wire-delivery.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { findJob, refuseUnknown } from "../jobs/find-job.ts";
import { describeErrors, describeJson, idParameter, type Route, type RouteSpec } from "../route.ts";

const spec: RouteSpec = {
  method: "get",
  path: "/v1/jobs/{id}/deliveries",
  tags: ["jobs"],
  summary: "Who was told of the job, and what came of it",
  description: "Notifications and uploads of the job, oldest first. They are kept for 30 days.",
  request: { params: idParameter },
  responses: { 200: describeJson("The deliveries", z.array(deliverySchema)), ...describeErrors("JOB_NOT_FOUND") },
};

export const createDeliveryRoute = ({ store }: ApiContext): Route => ({
  spec,
  handle: (request: AppRequest) => {
    const job = findJob(store, request);
    return job === null
      ? refuseUnknown(request)
      : Response.json(store.outbox.listOfJob(job.id).map((message) => toWireDelivery(message)));
  },
});
