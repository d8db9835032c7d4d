import { z } from "zod";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeText, type Route, type RouteSpec } from "../route.ts";

const DESCRIPTION = `Server-sent events. \`job\`: a job as it stands after a change; \`job_removed\`: \`{"id"}\` of a
job that was taken out of the queue; \`gpu\`: \`{"gpu_idx", "blacklisted", "changed"}\` at each change of the blacklist.
\`Last-Event-ID\` goes on after that event; where the server no longer knows it, because it has started anew or too much
has happened since, \`resync\` comes first: read what you show again.`;

const eventsSpec: RouteSpec = {
  method: "get",
  path: "/v1/events",
  tags: ["server"],
  summary: "What changes, as it changes",
  description: DESCRIPTION.replaceAll("\n", " "),
  request: { headers: z.object({ "last-event-id": z.string().optional() }) },
  responses: { 200: describeText("The events", "text/event-stream") },
};

const STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

const follow =
  ({ feed, meter }: ApiContext) =>
  (request: AppRequest): Response => {
    if (request.req.method === "HEAD") return new Response(null, { headers: STREAM_HEADERS });
    const lastEventId = request.req.header("last-event-id") ?? null;
    return new Response(feed.follow(lastEventId, meter.addFollower("events")), { headers: STREAM_HEADERS });
  };

export const createEventRoutes = (context: ApiContext): readonly Route[] => [
  { spec: eventsSpec, seat: "follower", handle: follow(context) },
];
