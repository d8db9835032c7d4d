import { VERSION } from "../../base/version.ts";
import { DONE, type Verb } from "../../command-line/command.ts";

export const verb: Verb = {
  name: "version",
  usage: "nexus-server version",
  summary: "print the version",
  flags: [],
  maxWords: 0,
  examples: ["nexus-server version"],
  run: async () => {
    process.stdout.write(`${VERSION}\n`);
    return DONE;
  },
};
