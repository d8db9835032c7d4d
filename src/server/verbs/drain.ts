import { tellMoment } from "../../base/moments.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type FlagValues, type Outcome, type Verb } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { readFuture } from "../../command-line/read-moment.ts";
import { convertProblem, failUsage } from "../../command-line/usage.ts";
import { drainRequestSchema } from "../../wire/drain/drain.ts";
import { beginDrain, type DrainWish } from "../core/queue/drain.ts";
import { nameOperator } from "../external/access/token-log.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { changeDrains } from "../external/sqlite/beside-server/drains.ts";
import { becomeOwner } from "./become-owner.ts";

const readUntil = (flags: FlagValues, now: number): Result<number | null, Failure> => {
  const until = readFuture(flags, "until", now);
  return until.ok && until.value !== null && until.value <= now
    ? failUsage(`--until ${readText(flags, "until")} is past`)
    : until;
};

const readWish = (flags: FlagValues, now: number): Result<DrainWish, Failure> => {
  const until = readUntil(flags, now);
  if (!until.ok) return until;
  const wish = { why: readText(flags, "why"), until: until.value };
  const checked = drainRequestSchema.safeParse(wish);
  return checked.success
    ? ok({ why: wish.why || null, until: wish.until, by: nameOperator() })
    : failUsage("--why takes at most 1000 characters");
};

const run = (flags: FlagValues): Outcome => {
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  const now = Date.now() / 1000;
  const wish = readWish(flags, now);
  if (!wish.ok) return wish;
  const { serverDir } = settings.value;
  becomeOwner(serverDir);
  const changed = convertProblem(changeDrains(serverDir, (drains) => beginDrain(drains, wish.value, now)));
  if (!changed.ok) return changed;
  const { until } = wish.value;
  const end = until === null ? "" : ` until ${tellMoment(until)}`;
  process.stdout.write(`Nothing starts${end}; running jobs go on. Let jobs start again with: nexus-server resume\n`);
  return DONE;
};

export const verb: Verb = {
  name: "drain",
  usage: "nexus-server drain [--why TEXT] [--until TIME]",
  summary: "let nothing start; running jobs go on",
  flags: [
    { long: "why", value: "TEXT", help: "what users are told" },
    { long: "until", value: "TIME", help: "when it ends by itself: +2h, 18:30, '2026-12-01 18:30' (default: never)" },
  ],
  maxWords: 0,
  examples: ["nexus-server drain --why 'a new driver' --until +2h", "sudo nexus-server drain"],
  run: async ({ flags }) => run(flags),
};
