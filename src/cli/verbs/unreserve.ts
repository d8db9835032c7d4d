import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { failMissing, failUsage } from "../../command-line/usage.ts";
import type { WireReservation } from "../../wire/reservations/reservation.ts";
import { nameGpus } from "../../wire/reservations/reservation-text.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { readUserName } from "../settings/user-name.ts";
import { print } from "../terminal/output.ts";

const PATH = "/v1/reservations";

const findId = (word: string, reservations: readonly WireReservation[], user: string): Result<string, Failure> => {
  if (reservations.some(({ id }) => id === word)) return ok(word);
  if (!/^\d{1,9}$/.test(word)) return failMissing(`There is no reservation ${word}`, "nx reserve lists what is");
  const own = reservations.filter((one) => one.user === user && one.gpu_idxs.includes(Number(word)));
  const [only, other] = own;
  if (only === undefined) return failMissing(`GPU ${word} is not reserved for ${user}`, "nx reserve lists what is");
  if (other === undefined) return ok(only.id);
  return failUsage(`GPU ${word} is reserved more than once: say ${own.map(({ id }) => id).join(" or ")}`);
};

const findIds = async (api: Api, words: readonly string[]): Promise<Result<readonly string[], Failure>> => {
  const listed = await api.get<readonly WireReservation[]>(PATH);
  if (!listed.ok) return listed;
  const user = readUserName(api.target.config);
  const ids: string[] = [];
  for (const word of words) {
    const id = findId(word, listed.value, user);
    if (!id.ok) return id;
    ids.push(id.value);
  }
  return ok([...new Set(ids)]);
};

const describeEnded = ({ id, gpu_idxs, user }: WireReservation): string =>
  `${nameGpus(gpu_idxs)} ${gpu_idxs.length === 1 ? "is" : "are"} no longer reserved for ${escapeText(user)} (${id})`;

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length === 0) return failUsage("nx unreserve needs a reservation's id or a GPU's number", "see nx reserve");
  const api = await connect(flags);
  if (!api.ok) return api;
  const ids = await findIds(
    api.value,
    words.flatMap((word) => word.split(",")),
  );
  if (!ids.ok) return ids;
  const ended: WireReservation[] = [];
  for (const id of ids.value) {
    const one = await api.value.send<WireReservation>("DELETE", `${PATH}/${encodeURIComponent(id)}`);
    if (!one.ok) return one;
    if (!wantsJson(flags)) print(describeEnded(one.value));
    ended.push(one.value);
  }
  if (wantsJson(flags)) printRows(ended, flags);
  return DONE;
};

export const verb: Verb = listRows({
  name: "unreserve",
  usage: "nx unreserve ID or GPU…",
  summary: "end a reservation of GPUs",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx unreserve k3f9ab", "nx unreserve 0"],
  run,
});
