import { createMcpHandler } from "@modelcontextprotocol/server";
import { escapeText } from "../../../base/escape-text.ts";
import { createAgentServer } from "../../../mcp/create-agent-server.ts";
import type { ToolContext } from "../../../mcp/tool.ts";
import { clipEnd } from "../../core/notices/plain-text.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { nameUser } from "../access/caller.ts";
import { countAsker } from "../access/count-by.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { passOn } from "../http/pass-on.ts";
import { createServerAsk, type Dispatch } from "./ask-server.ts";
import type { CallsInFlight } from "./calls-in-flight.ts";
import { createServerPlanner } from "./server-planner.ts";

/** What all requests of agents share. */
export type AgentDesk = Readonly<{ dispatch: Dispatch; calls: CallsInFlight; used: ToolContext["used"] }>;

const SESSION_HEADER = "mcp-session-id";
const BEGIN = "initialize";
const MAX_MESSAGE = 500;

const COMMENT_THAT_SENDS_HEADERS = new TextEncoder().encode(":\n\n");

const isBeginning = (body: unknown): boolean =>
  typeof body === "object" && body !== null && "method" in body && body.method === BEGIN;

const holdUntilEnd = (response: Response, session: string | null, onEnd: () => void): Response => {
  const headers = new Headers(response.headers);
  if (session !== null) headers.set(SESSION_HEADER, session);
  if (response.body !== null && headers.get("content-type") === "text/event-stream") {
    const body = passOn(response.body, { onEnd, first: COMMENT_THAT_SENDS_HEADERS });
    return new Response(body, { status: response.status, headers });
  }
  onEnd();
  return new Response(response.body, { status: response.status, headers });
};

const tellIn =
  (log: Log) =>
  ({ message }: Error): void =>
    log.warn("agent's message failed", { message: clipEnd(escapeText(message), MAX_MESSAGE) });

const serve = (context: ApiContext, request: AppRequest, { dispatch, used }: AgentDesk) => {
  const ask = createServerAsk(context, request, dispatch);
  const planner = createServerPlanner(ask, nameUser(request));
  return createAgentServer((call) => ({ ask, planner, stay: ask, target: context.settings.nodeName, used, ...call }));
};

/**
 * Each request is served by itself, so that nothing is lost with a restart. A session is nothing but a name by which a call is cancelled;
 * what an agent leaves, or lets go of, is ended.
 */
export const answerAgent = async (
  context: ApiContext,
  request: AppRequest,
  body: unknown,
  desk: AgentDesk,
): Promise<Response> => {
  const { raw } = request.req;
  const session = `${countAsker(request)} ${raw.headers.get(SESSION_HEADER)}`;
  desk.calls.cancel(session, body);
  const onerror = tellIn(request.get("log"));
  const server = Object.assign(serve(context, request, desk), { onerror });
  const forget = desk.calls.note(session, body, () => void server.close());
  const end = (): void => {
    forget();
    void server.close();
  };
  const handler = createMcpHandler(() => server, { responseMode: "sse", onerror });
  const response = await handler.fetch(raw, { parsedBody: body });
  return holdUntilEnd(response, isBeginning(body) ? crypto.randomUUID() : null, end);
};
