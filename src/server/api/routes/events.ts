import { z } from "zod";
import { ok } from "../../../base/result.ts";
import type { ApiContext } from "../context.ts";
import { describeText } from "../http/describe-response.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const DESCRIPTION = `Server-sent events. \`job\`: a job as it stands after a change; \`job_removed\`: \`{"id"}\` of a
job that was taken out of the queue; \`gpu\`: \`{"gpu_idx", "blacklisted", "changed"}\` at each change of the blacklist.
\`Last-Event-ID\` goes on after that event; where the server no longer knows it, because it has started anew or too much
has happened since, \`resync\` comes first: read what you show again.`;

const spec = {
  method: "get",
  path: "/v1/events",
  tags: ["server"],
  summary: "What changes, as it changes",
  description: DESCRIPTION.replaceAll("\n", " "),
  seat: "follower",
  headers: z.object({ "last-event-id": z.string().optional() }),
  responses: { 200: describeText("The events", "text/event-stream") },
} satisfies RouteSpec;

const STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

export const createEventRoute = ({ feed, meter }: ApiContext): Route =>
  defineRoute(spec, ({ request, headers }) => {
    if (request.req.method === "HEAD") return ok(new Response(null, { headers: STREAM_HEADERS }));
    const events = feed.follow(headers["last-event-id"] ?? null, meter.addFollower("events"));
    return ok(new Response(events, { headers: STREAM_HEADERS }));
  });
