import type { Program } from "../command-line/command.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import { listSettingFlags } from "./external/settings/setting-list.ts";
import { SERVER_VERBS } from "./verb-table.ts";

export const createProgram = (onStep?: OnStep): Program => ({
  name: "nexus-server",
  summary: "run the jobs of this machine",
  flags: [...listSettingFlags(), { long: "help", short: "h", help: "this text" }],
  isVerbFirst: true,
  withoutVerb: async () => ({ verb: (await import("./verbs/serve.ts")).createServe(onStep) }),
  verbs: SERVER_VERBS,
  examples: ["nexus-server", "nexus-server --mock-gpus 2 --port 0"],
  note: "Every setting can also be in config.toml in the server folder, or in NS_NAME.",
});
