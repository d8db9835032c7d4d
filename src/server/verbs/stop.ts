import type { Verb } from "../../command-line/command.ts";
import { runService } from "./run-service.ts";

export const verb: Verb = {
  name: "stop",
  usage: "nexus-server stop",
  summary: "stop the server; jobs go on",
  flags: [],
  maxWords: 0,
  examples: ["nexus-server stop"],
  run: ({ flags }) => runService({ verb: "stop" }, flags),
};
