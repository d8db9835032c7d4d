import { serveStdio } from "@modelcontextprotocol/server/stdio";
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
  const onerror = ({ message }: Error): void => {
    if (TOO_LARGE.test(message)) resolve(fail(`the agent's program sent a message that is too large: ${message}`));
  };
  process.stdout.on("error", () => resolve(DONE));
  process.stdin.once("end", () => resolve(DONE));
  const serve = () => createAgentServer((call) => ({ ...shared, ask: createApi(target), ...call }));
  const connection = serveStdio(serve, { onerror });
  const outcome = await promise;
  await connection.close();
  return outcome;
};
