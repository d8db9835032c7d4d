import type { Program } from "../command-line/command.ts";
import { FOREIGN_WORDS } from "./foreign-words.ts";
import { VERBS } from "./verb-table.ts";

export const NX: Program = {
  name: "nx",
  summary: "run jobs on the GPUs of a machine",
  flags: [
    { long: "target", short: "t", value: "NAME", help: "the server to talk to" },
    { long: "no-autostart", help: "don't start a local server when none is there" },
    { long: "help", short: "h", help: "this text" },
  ],
  withoutVerb: () => import("./verbs/status.ts"),
  verbs: VERBS,
  foreign: FOREIGN_WORDS,
  describeDocuments: async () => (await import("./documents/describe-documents.ts")).describeDocuments(),
  examples: ["nx run python3 train.py"],
};
