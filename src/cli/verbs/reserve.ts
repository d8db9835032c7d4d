import { parseDuration } from "../../base/durations.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { readFuture } from "../../command-line/read-moment.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireReservation } from "../../wire/reservations/reservation.ts";
import { nameGpus, tellReservation } from "../../wire/reservations/reservation-text.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { readUserName } from "../settings/user-name.ts";
import { formatMoment, formatRecent, nameZones } from "../terminal/clock.ts";
import { hint, print, printTable } from "../terminal/output.ts";

type Asked = Readonly<{ gpuIdxs: readonly number[]; from: number | null; until: number }>;

const PATH = "/v1/reservations";
const ASKING: readonly string[] = ["for", "from", "why", "user"];

const nowSeconds = (): number => Date.now() / 1000;

const readFor = (flags: FlagValues): Result<number, Failure> => {
  const text = readText(flags, "for");
  if (text === null) return failUsage("for how long? say --for 4h");
  const seconds = parseDuration(text);
  return seconds !== null && seconds > 0
    ? ok(seconds)
    : failUsage(`--for takes a time such as 45m, 2h, 1d or 1h30m, not "${text}"`);
};

const readFrom = (flags: FlagValues, now: number): Result<number | null, Failure> => {
  const from = readFuture(flags, "from", now);
  return from.ok && from.value !== null && from.value < now
    ? failUsage(`--from ${readText(flags, "from")} is past`)
    : from;
};

const readAsked = ({ flags, words }: Invocation): Result<Asked, Failure> => {
  const indexes = words.flatMap((word) => word.split(","));
  const wrong = indexes.find((index) => !/^\d{1,9}$/.test(index));
  if (wrong !== undefined) return failUsage(`"${wrong}" is not a GPU's number`);
  const lasts = readFor(flags);
  if (!lasts.ok) return lasts;
  const now = nowSeconds();
  const from = readFrom(flags, now);
  if (!from.ok) return from;
  return ok({ gpuIdxs: indexes.map(Number), from: from.value, until: Math.ceil((from.value ?? now) + lasts.value) });
};

const describeMade = (made: WireReservation, hasBegun: boolean): readonly string[] => [
  `${nameGpus(made.gpu_idxs)} ${made.gpu_idxs.length === 1 ? "is" : "are"} ${tellReservation(made, hasBegun, formatMoment)} (${made.id})`,
  ...made.jobs.map(
    ({ id, user, gpu_idxs }) => `Job ${id} of ${escapeText(user)} runs on ${nameGpus(gpu_idxs)} and goes on`,
  ),
];

const show = (made: WireReservation, flags: FlagValues, hasBegun: boolean): void => {
  if (wantsJson(flags)) printRows([made], flags);
  else if (readSwitch(flags, "quiet")) print(made.id);
  else for (const line of describeMade(made, hasBegun)) print(line);
};

const reserve = async (api: Api, flags: FlagValues, { gpuIdxs, from, until }: Asked): Promise<Outcome> => {
  const user = readText(flags, "user") ?? readUserName(api.target.config);
  const json = { gpu_idxs: gpuIdxs, from, until, why: readText(flags, "why"), user };
  const made = await api.send<WireReservation>("POST", PATH, json);
  if (!made.ok) return made;
  show(made.value, flags, from === null);
  return DONE;
};

const printReservations = (reservations: readonly WireReservation[], now: number): void => {
  const zone = nameZones(
    reservations.flatMap(({ from, until }) => [from, until]),
    now,
  );
  printTable(
    ["ID", "GPU", "USER", "FROM", `UNTIL (${zone})`, "WHY"],
    reservations.map((one) => [
      one.id,
      one.gpu_idxs.join(","),
      one.user,
      formatRecent(one.from, now),
      formatRecent(one.until, now),
      one.why ?? "",
    ]),
  );
};

const list = async (api: Api, flags: FlagValues): Promise<Outcome> => {
  const listed = await api.get<readonly WireReservation[]>(PATH);
  if (!listed.ok) return listed;
  if (wantsJson(flags)) printRows(listed.value, flags);
  else if (readSwitch(flags, "quiet")) for (const { id } of listed.value) print(id);
  else if (listed.value.length === 0) hint("No GPU is reserved.");
  else printReservations(listed.value, nowSeconds());
  return DONE;
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags, words } = invocation;
  const isList = words.length === 0 && ASKING.every((name) => readText(flags, name) === null);
  if (words.length === 0 && !isList) return failUsage("nx reserve needs a GPU's number", "see nx");
  const asked = isList ? null : readAsked(invocation);
  if (asked?.ok === false) return asked;
  const api = await connect(flags);
  if (!api.ok) return api;
  return asked === null ? list(api.value, flags) : reserve(api.value, flags, asked.value);
};

export const verb: Verb = listRows({
  name: "reserve",
  usage: "nx reserve [GPU… --for TIME] [flags]",
  summary: "keep GPUs for your jobs for a time, or list what is reserved",
  flags: [
    { long: "for", value: "TIME", help: "for how long: 45m, 4h, 2d" },
    { long: "from", value: "TIME", help: "from then on: 18:30, +2h, 2026-12-01, '2026-12-01 18:30' (default: now)" },
    { long: "why", value: "TEXT", help: "what others are told" },
    { long: "user", short: "u", value: "NAME", help: "for jobs of this user, as an admin" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "ids only" },
  ],
  examples: ["nx reserve 0 --for 4h", "nx reserve 0,1 --for 2h --from 18:30 --why 'a demo'", "nx reserve"],
  run,
});
