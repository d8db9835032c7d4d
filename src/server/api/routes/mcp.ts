import { z } from "zod";
import { ok } from "../../../base/result.ts";
import type { Dispatch } from "../agents/ask-server.ts";
import { createCallsInFlight } from "../agents/calls-in-flight.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson, describeText } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const DESCRIPTION = `One message of the Model Context Protocol (streamable HTTP), as the tools of \`nx mcp\` have it. What a tool does
is asked of this server by whoever sends the message, and allowed or refused as any other request of theirs.`;

const protocolErrorSchema = z.object({
  jsonrpc: z.literal("2.0"),
  error: z.object({ code: z.int(), message: z.string() }),
  id: z.union([z.string(), z.number(), z.null()]),
});

const spec = {
  method: "post",
  path: "/mcp",
  tags: ["agents"],
  summary: "The Model Context Protocol",
  description: DESCRIPTION.replaceAll("\n", " "),
  asks: "read",
  seat: "follower",
  body: jsonBody(z.unknown()),
  responses: {
    200: describeText("The answer, as server-sent events", "text/event-stream"),
    202: { description: "The message needs no answer" },
    400: describeJson("It is no message of the protocol, or of a version that is not spoken here", protocolErrorSchema),
    406: describeJson("Who sends it does not take both JSON and server-sent events", protocolErrorSchema),
    ...describeErrors("PAYLOAD_TOO_LARGE", "REQUEST_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

/** `dispatch` asks this server as another request does. */
export const createAgentRoute = (context: ApiContext, dispatch: Dispatch): Route => {
  const desk = { dispatch, calls: createCallsInFlight(), used: new Map() };
  return defineRoute(spec, async ({ request, body }) => {
    const { answerAgent } = await import("../agents/answer-agent.ts");
    return ok(await answerAgent(context, request, body, desk));
  });
};
