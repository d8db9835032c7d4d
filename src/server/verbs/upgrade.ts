import type { Verb } from "../../command-line/command.ts";
import { planUpgrade } from "../installation/plan.ts";
import { DRY_RUN, installService } from "./change-service.ts";

export const verb: Verb = {
  name: "upgrade",
  usage: "nexus-server upgrade [--wait]",
  summary: "put this program in its place; jobs go on",
  flags: [{ long: "wait", help: "let nothing start, and wait until no job runs" }, DRY_RUN],
  maxWords: 0,
  examples: ["sudo dist/nexus-server upgrade", "sudo dist/nexus-server upgrade --wait"],
  run: ({ flags }) => installService(planUpgrade, flags),
};
