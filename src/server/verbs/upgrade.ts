import type { Verb } from "../../command-line/command.ts";
import { planUpgrade } from "../installation/plan.ts";
import { DRY_RUN, installService } from "./change-service.ts";

export const verb: Verb = {
  name: "upgrade",
  usage: "nexus-server upgrade",
  summary: "put this program in its place; jobs go on",
  flags: [DRY_RUN],
  maxWords: 0,
  examples: ["sudo dist/nexus-server upgrade"],
  run: ({ flags }) => installService(planUpgrade, flags),
};
