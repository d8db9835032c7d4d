import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import type { WireBatch } from "../../wire/batches/batch.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { readUserName } from "../settings/user-name.ts";
import { formatMoment } from "../terminal/clock.ts";
import { hint, print, printTable } from "../terminal/output.ts";

const SHOWN = 20;
const MOST = 1000;

const describeCommand = ({ name, command }: WireBatch): string => (name === null ? command : `${name}: ${command}`);

const describeRunning = ({ running, batch_max: max = null }: Partial<WireBatch>): string =>
  max === null ? String(running) : `${running} of ${max}`;

const printBatches = (batches: readonly WireBatch[]): void =>
  printTable(
    ["BATCH", "USER", "ADDED", "DONE", "FAILED", "RUNNING", "WAITING", "FIRST COMMAND"],
    batches.map((batch) => [
      `@${batch.id}`,
      batch.user,
      formatMoment(batch.created_at),
      String(batch.completed),
      String(batch.failed + batch.killed),
      describeRunning(batch),
      String(batch.queued),
      describeCommand(batch),
    ]),
  );

const show = (batches: readonly WireBatch[], flags: FlagValues): void => {
  if (wantsJson(flags)) printRows(batches, flags);
  else if (readSwitch(flags, "quiet")) for (const { id } of batches) print(id);
  else if (batches.length === 0) hint("There is no batch: nx add makes one of several jobs.");
  else printBatches(batches);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const count = readWhole(flags, "count", { min: 1, max: MOST });
  if (!count.ok) return count;
  const api = await connect(flags);
  if (!api.ok) return api;
  const query = new URLSearchParams({ limit: String(count.value ?? SHOWN) });
  if (!readSwitch(flags, "all-users"))
    query.set("user", readText(flags, "user") ?? readUserName(api.value.target.config));
  const batches = await api.value.get<readonly WireBatch[]>(`/v1/batches?${query}`);
  if (!batches.ok) return batches;
  show(batches.value, flags);
  return DONE;
};

export const verb: Verb = listRows({
  name: "batch",
  usage: "nx batch [flags]",
  summary: "your batches of jobs: how many are done, failed, running, waiting",
  flags: [
    { long: "user", short: "u", value: "NAME", help: "this user's" },
    { long: "all-users", help: "those of all users" },
    { long: "count", short: "n", value: "N", default: SHOWN, help: "how many" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "ids only" },
  ],
  maxWords: 0,
  examples: ["nx batch", "nx batch -n 5"],
  run,
});
