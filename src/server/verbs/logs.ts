import type { Verb } from "../../command-line/command.ts";
import { readSwitch, readWhole } from "../../command-line/flag-values.ts";
import { runService } from "./run-service.ts";

const DEFAULT_LINES = 100;
const MAX_LINES = 10_000_000;

export const verb: Verb = {
  name: "logs",
  usage: "nexus-server logs [-n N] [-f]",
  summary: "its log",
  flags: [
    { long: "lines", short: "n", value: "N", default: DEFAULT_LINES, help: "how many" },
    { long: "follow", short: "f", help: "and what is written from now on" },
  ],
  maxWords: 0,
  examples: ["nexus-server logs -n 20", "sudo nexus-server logs -f"],
  run: async ({ flags }) => {
    const lines = readWhole(flags, "lines", { min: 0, max: MAX_LINES });
    if (!lines.ok) return lines;
    const isFollowing = readSwitch(flags, "follow");
    return runService({ verb: "logs", lines: lines.value ?? DEFAULT_LINES, isFollowing }, flags);
  },
};
