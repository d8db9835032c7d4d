import {
  type CallToolResult,
  type ProgressNotification,
  ProtocolErrorCode,
  Server,
  type Tool as ToolOffer,
} from "@modelcontextprotocol/server";
import type { Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import { VERSION } from "../base/version.ts";
import { describeTrouble } from "./advice.ts";
import { type Ask, type Trouble, WRONG_ARGUMENTS } from "./ask.ts";
import { listResources, readResource, TEMPLATES } from "./resources.ts";
import type { Facts, Tool, ToolContext } from "./tool.ts";
import { TOOLS } from "./tools/tool-list.ts";

type Call = Pick<ToolContext, "signal" | "report">;

/** What a call is done with. */
export type Serve = (call: Call) => ToolContext;

const INSTRUCTIONS = `Nexus runs jobs on the GPUs of a machine that people share. submit and redo show a preview first and run when \
they are called again with its confirm. Wait with one call of wait for all jobs, not by asking again and again.`;

const offerTool = ({ name, title, description, kind, schema }: Tool): ToolOffer => ({
  name,
  description,
  inputSchema: schema as ToolOffer["inputSchema"],
  annotations: {
    title,
    readOnlyHint: kind === "reads",
    destructiveHint: kind === "ends",
    idempotentHint: kind !== "adds",
    openWorldHint: false,
  },
});

const refuse = (code: number, message: string, data?: Facts): Error =>
  Object.assign(new Error(message), { code, data });

const refuseTool = (name: string): Error => {
  const known = TOOLS.map((tool) => tool.name);
  const nearest = suggestNearest(name, known);
  const advice = nearest === null ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`;
  return refuse(ProtocolErrorCode.InvalidParams, `"${name.slice(0, 64)}" is no tool of Nexus; ${advice}`);
};

const respond = (facts: Facts, isError: boolean): CallToolResult => ({
  content: [{ type: "text", text: JSON.stringify(facts) }],
  structuredContent: { ...facts },
  ...(isError ? { isError } : {}),
});

const call = async (tool: Tool, context: ToolContext, given: unknown): Promise<CallToolResult> => {
  const answer = await tool.run(context, given);
  return answer.ok ? respond(answer.value, false) : respond(describeTrouble(answer.error), true);
};

type Send = (notification: ProgressNotification) => Promise<void>;

const createReport =
  (progressToken: string | number | undefined, send: Send): Call["report"] =>
  (progress, total) => {
    if (progressToken === undefined) return;
    void send({ method: "notifications/progress", params: { progressToken, progress, total } }).catch(() => undefined);
  };

const chooseCode = ({ code }: Trouble): number =>
  code === "JOB_NOT_FOUND" || code === WRONG_ARGUMENTS
    ? ProtocolErrorCode.InvalidParams
    : ProtocolErrorCode.InternalError;

const takeOrThrow = <Value>(result: Result<Value, Trouble>): Value => {
  if (result.ok) return result.value;
  throw refuse(chooseCode(result.error), result.error.message, describeTrouble(result.error));
};

const offerResources = (server: Server, serve: Serve): void => {
  const ask = (signal: AbortSignal): Ask => serve({ signal, report: () => undefined }).ask;
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [...TEMPLATES] }));
  server.setRequestHandler("resources/list", async (_request, { mcpReq: { signal } }) => ({
    resources: [...takeOrThrow(await listResources(ask(signal)))],
  }));
  server.setRequestHandler("resources/read", async ({ params }, { mcpReq: { signal } }) => ({
    contents: [takeOrThrow(await readResource(ask(signal), params.uri))],
  }));
};

/** One server for one connection of an agent. */
export const createAgentServer = (serve: Serve): Server => {
  const server = new Server(
    { name: "nexus", version: VERSION },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler("tools/list", () => ({ tools: TOOLS.map(offerTool) }));
  server.setRequestHandler("tools/call", ({ params }, { mcpReq: { signal, notify } }) => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (tool === undefined) throw refuseTool(params.name);
    const report = createReport(params._meta?.progressToken, notify);
    return call(tool, serve({ signal, report }), params.arguments).catch((error) => {
      if (!signal.aborted) server.onerror?.(error);
      throw error;
    });
  });
  offerResources(server, serve);
  return server;
};
