import { VERSION } from "../../shared/version.ts";
import { readSwitch } from "../flag-values.ts";
import { print, printJson } from "../output.ts";
import { DONE, type Verb } from "../verb.ts";

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
