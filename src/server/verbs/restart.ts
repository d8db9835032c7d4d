import type { Verb } from "../../command-line/command.ts";
import { runService } from "./run-service.ts";

export const verb: Verb = {
  name: "restart",
  usage: "nexus-server restart",
  summary: "restart the service; jobs go on",
  flags: [],
  maxWords: 0,
  examples: ["sudo nexus-server restart"],
  run: ({ flags }) => runService({ verb: "restart" }, flags),
};
