import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { resolveTarget } from "../targets/resolve-target.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  if (isTerminal("input"))
    return failUsage(
      "nx mcp speaks with an agent's program, not with people: add it there, as in: claude mcp add nexus -- nx mcp",
    );
  const target = await resolveTarget(flags);
  if (!target.ok) return target;
  for (const note of target.value.notes) hint(note);
  const { serveAgent } = await import("../agent/serve-agent.ts");
  return serveAgent(target.value);
};

export const verb: Verb = {
  name: "mcp",
  usage: "nx mcp",
  summary: "serve an agent by the Model Context Protocol, on standard input and output",
  flags: [],
  maxWords: 0,
  examples: ["claude mcp add nexus -- nx mcp", "nx mcp -t lab"],
  run,
};
