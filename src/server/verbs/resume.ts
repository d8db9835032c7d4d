import { DONE, type FlagValues, type Outcome, type Verb } from "../../command-line/command.ts";
import { convertProblem } from "../../command-line/usage.ts";
import { endDrain, findDrain } from "../core/queue/drain.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { changeDrains } from "../external/sqlite/beside-server/drains.ts";
import { becomeOwner } from "./become-owner.ts";

const run = (flags: FlagValues): Outcome => {
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  const { serverDir } = settings.value;
  becomeOwner(serverDir);
  const now = Date.now() / 1000;
  const changed = convertProblem(changeDrains(serverDir, (drains) => endDrain(drains, now)));
  if (!changed.ok) return changed;
  const wasDrained = findDrain(changed.value.before, now) !== null;
  process.stdout.write(wasDrained ? "Jobs start again.\n" : "Nothing was drained: jobs start as before.\n");
  return DONE;
};

export const verb: Verb = {
  name: "resume",
  usage: "nexus-server resume",
  summary: "let jobs start again after a drain",
  flags: [],
  maxWords: 0,
  examples: ["nexus-server resume"],
  run: async ({ flags }) => run(flags),
};
