import type { Verb } from "../../command-line/command.ts";
import { runService } from "./run-service.ts";

export const verb: Verb = {
  name: "start",
  usage: "nexus-server start",
  summary: "start the service",
  flags: [],
  maxWords: 0,
  examples: ["sudo nexus-server start"],
  run: ({ flags }) => runService({ verb: "start" }, flags),
};
