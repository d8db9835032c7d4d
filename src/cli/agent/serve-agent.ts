import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { DONE, type Outcome } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { createAgentServer } from "../../mcp/create-agent-server.ts";
import { createApi } from "../connection/api-client.ts";
import type { Target } from "../targets/target.ts";
import { createPlanner } from "./planner.ts";

const TOO_LARGE = /maximum size/;

/** Until the agent's program closes the input. */
export const serveAgent = async (target: Target): Promise<Outcome> => {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const planner = createPlanner(target);
  const stay = createApi({ ...target, autostart: false });
  const shared = { target: target.name, planner, stay, used: new Map() };
  const server = createAgentServer((call) => ({ ...shared, ask: createApi(target), ...call }));
  let outcome: Outcome = DONE;
  server.onerror = ({ message }) => {
    if (TOO_LARGE.test(message)) outcome = fail(`the agent's program sent a message that is too large: ${message}`);
  };
  server.onclose = () => resolve(outcome);
  process.stdout.on("error", () => resolve(DONE));
  process.stdin.once("end", () => void server.close());
  await server.connect(new StdioServerTransport());
  return promise;
};
