import type { Verb } from "../../command-line/command.ts";
import { runService } from "./run-service.ts";

export const verb: Verb = {
  name: "status",
  usage: "nexus-server status",
  summary: "whether it runs",
  flags: [],
  maxWords: 0,
  examples: ["nexus-server status"],
  run: ({ flags }) => runService({ verb: "status" }, flags),
};
