import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { BlacklistChange, WireGpu } from "../../wire/gpu.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { hint, print, printJson } from "../terminal/output.ts";

const list = async (api: Api, flags: FlagValues): Promise<Outcome> => {
  const gpus = await api.get<readonly WireGpu[]>("/v1/gpus");
  if (!gpus.ok) return gpus;
  const listed = gpus.value.filter((gpu) => gpu.is_blacklisted);
  if (readSwitch(flags, "json")) printJson(listed.map((gpu) => gpu.index));
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
    if (!readSwitch(flags, "json")) print(describeChange(changed.value));
    changes.push(changed.value);
  }
  if (readSwitch(flags, "json")) printJson(changes);
  return DONE;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action = "list", ...given] = words;
  const indexes = given.flatMap((word) => word.split(","));
  if (!["add", "remove", "list"].includes(action))
    return failUsage(`nx blacklist takes add, remove or list, not "${action}"`);
  const wrong = indexes.find((index) => !/^\d+$/.test(index));
  if (wrong !== undefined) return failUsage(`"${wrong}" is not a GPU's number`);
  if (action !== "list" && indexes.length === 0)
    return failUsage(`nx blacklist ${action} needs a GPU's number (see nx)`);
  const api = await connect(flags);
  if (!api.ok) return api;
  return action === "list"
    ? list(api.value, flags)
    : change(api.value, action === "add" ? "PUT" : "DELETE", { flags, words: indexes });
};

export const verb: Verb = {
  name: "blacklist",
  usage: "nx blacklist add|remove|list [GPU…]",
  summary: "GPUs that no job gets",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx blacklist add 0", "nx blacklist list"],
  run,
};
