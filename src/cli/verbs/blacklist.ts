import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { BlacklistChange, FaultChange, WireGpu } from "../../wire/gpu.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { hint, print } from "../terminal/output.ts";

type Action = (typeof ACTIONS)[number];

const ACTIONS = ["add", "remove", "clear", "list"] as const;

const list = async (api: Api, flags: FlagValues): Promise<Outcome> => {
  const gpus = await api.get<readonly WireGpu[]>("/v1/gpus");
  if (!gpus.ok) return gpus;
  const listed = gpus.value.filter((gpu) => gpu.is_blacklisted);
  if (wantsJson(flags))
    printRows(
      listed,
      flags,
      listed.map((gpu) => gpu.index),
    );
  else if (listed.length === 0) hint("No GPU is blacklisted.");
  else for (const gpu of listed) print(`${gpu.index}  ${gpu.name}`);
  return DONE;
};

const describeChange = ({ gpu_idx, blacklisted, changed }: BlacklistChange): string =>
  `GPU ${gpu_idx} is ${blacklisted ? "blacklisted" : "in use again"}${changed ? "" : " already"}.`;

const change = async (api: Api, method: "PUT" | "DELETE", { flags, words }: Invocation): Promise<Outcome> => {
  const changes: BlacklistChange[] = [];
  for (const index of words) {
    const changed = await api.send<BlacklistChange>(method, `/v1/gpus/${index}/blacklist`);
    if (!changed.ok) return changed;
    if (!wantsJson(flags)) print(describeChange(changed.value));
    changes.push(changed.value);
  }
  if (wantsJson(flags)) printRows(changes, flags);
  return DONE;
};

const clear = async (api: Api, { flags, words }: Invocation): Promise<Outcome> => {
  const changes: FaultChange[] = [];
  for (const index of words) {
    const cleared = await api.send<FaultChange>("DELETE", `/v1/gpus/${index}/fault`);
    if (!cleared.ok) return cleared;
    const text = cleared.value.changed ? "is handed out again" : "had nothing noted against it";
    if (!wantsJson(flags)) print(`GPU ${cleared.value.gpu_idx} ${text}.`);
    changes.push(cleared.value);
  }
  if (wantsJson(flags)) printRows(changes, flags);
  return DONE;
};

const act = (api: Api, action: Action, invocation: Invocation): Promise<Outcome> => {
  switch (action) {
    case "list":
      return list(api, invocation.flags);
    case "clear":
      return clear(api, invocation);
    case "add":
      return change(api, "PUT", invocation);
    case "remove":
      return change(api, "DELETE", invocation);
  }
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [word = "list", ...given] = words;
  const action = ACTIONS.find((name) => name === word);
  const indexes = given.flatMap((one) => one.split(","));
  if (action === undefined) return failUsage(`nx blacklist takes add, remove, clear or list, not "${word}"`);
  const wrong = indexes.find((index) => !/^\d+$/.test(index));
  if (wrong !== undefined) return failUsage(`"${wrong}" is not a GPU's number`);
  if (action !== "list" && indexes.length === 0)
    return failUsage(`nx blacklist ${action} needs a GPU's number`, "see nx");
  const api = await connect(flags);
  return api.ok ? act(api.value, action, { flags, words: indexes }) : api;
};

export const verb: Verb = listRows({
  name: "blacklist",
  usage: "nx blacklist add|remove|clear|list [GPU…]",
  summary: "GPUs that no job gets",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx blacklist add 0", "nx blacklist clear 0", "nx blacklist list"],
  run,
});
