import { VERSION } from "../../base/version.ts";
import { DONE, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { print, printJson } from "../terminal/output.ts";

export const verb: Verb = {
  name: "version",
  usage: "nx version",
  summary: "the version of this client",
  flags: [{ long: "json", help: "as JSON" }],
  maxWords: 0,
  examples: ["nx version"],
  run: async ({ flags }) => {
    if (readSwitch(flags, "json")) printJson({ version: VERSION });
    else print(`nx ${VERSION}`);
    return DONE;
  },
};
