import type { Verb } from "../../command-line/command.ts";
import { planInstall } from "../installation/plan.ts";
import { DRY_RUN, installService } from "./change-service.ts";

export const verb: Verb = {
  name: "install",
  usage: "nexus-server install [flags]",
  summary: "make it a service of this machine",
  flags: [
    { long: "config", value: "FILE", help: "use this configuration" },
    { long: "non-interactive", help: "never ask (it doesn't)" },
    { long: "force", help: "write a new configuration over the old one" },
    { long: "no-start", help: "don't start it" },
    DRY_RUN,
  ],
  maxWords: 0,
  examples: ["sudo nexus-server install --dry-run", "sudo nexus-server install --config own.toml"],
  run: ({ flags }) => installService(planInstall, flags),
};
