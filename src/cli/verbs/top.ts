import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { connect } from "../connection/connect.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { useColor } from "../terminal/output.ts";

const canShow = (): boolean => isTerminal("input") && isTerminal("output") && process.env["TERM"] !== "dumb";

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  if (!canShow()) return failUsage("nx top needs a terminal that it can draw on", "elsewhere: nx --json");
  const api = await connect(flags);
  if (!api.ok) return api;
  const { watchServer } = await import("../top/watch.ts");
  return watchServer(api.value, useColor());
};

export const verb: Verb = {
  name: "top",
  usage: "nx top [flags]",
  summary: "GPUs, jobs, queue and a log, live on the whole terminal",
  flags: [],
  maxWords: 0,
  examples: ["nx top", "nx top -t lab"],
  run,
};
