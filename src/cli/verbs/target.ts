import { ok, type Result } from "../../base/result.ts";
import { suggestNearest } from "../../base/suggest.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { fail, failMissing, failState, failUsage } from "../../command-line/usage.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { changeConfig } from "../settings/config-edit.ts";
import { type Config, readConfig, readOption } from "../settings/config-file.ts";
import { describeLocal } from "../targets/resolve-target.ts";
import {
  describeAddress,
  describeBadPlace,
  findEntry,
  findWay,
  isServerPlace,
  LOCAL,
  listEntries,
} from "../targets/target.ts";
import type { TargetAddress } from "../targets/target-url.ts";
import { hint, print, printTable } from "../terminal/output.ts";
import { confirm } from "../terminal/prompt.ts";

const ACTIONS: readonly string[] = ["add", "list", "remove"];
const USAGE = "nx target [NAME | add NAME URL | list | remove NAME]";

const readDefault = (config: Config): string => String(readOption(config, "default_target") ?? LOCAL) || LOCAL;

const list = async (config: Config, flags: FlagValues): Promise<Outcome> => {
  const entries = Object.entries(listEntries(config)).map(([name, entry]) => ({ name, url: describeAddress(entry) }));
  const targets = [{ name: LOCAL, url: await describeLocal() }, ...entries].map((target) => ({
    ...target,
    is_default: target.name === readDefault(config),
  }));
  if (wantsJson(flags)) printRows(targets, flags);
  else if (readSwitch(flags, "quiet")) for (const { name } of targets) print(name);
  else
    printTable(
      ["NAME", "DEFAULT", "URL"],
      targets.map(({ name, url, is_default }) => [name, is_default ? "yes" : "", url]),
    );
  return DONE;
};

const findName = (config: Config, name: string | undefined): Result<string, Failure> => {
  if (name === undefined) return failUsage(`a target's name is missing`, `the usage is: ${USAGE}`);
  const known = [LOCAL, ...Object.keys(listEntries(config))];
  if (known.includes(name)) return ok(name);
  const nearest = suggestNearest(name, [...known, ...ACTIONS]);
  const refuse = nearest !== null && ACTIONS.includes(nearest) ? failUsage : failMissing;
  return refuse(
    `there is no target "${name}"`,
    nearest ? `did you mean ${nearest}?` : `there are: ${known.join(", ")}`,
  );
};

const choose = async (config: Config, name: string): Promise<Outcome> => {
  const known = findName(config, name);
  if (!known.ok) return known;
  const changed = await changeConfig({ options: { default_target: name } });
  if (!changed.ok) return changed;
  print(`Commands go to ${name} now.`);
  const variable = ["NEXUS_TARGET", "NEXUS_DEFAULT_TARGET"].find((one) => (process.env[one] ?? name) !== name);
  if (variable !== undefined) hint(`Warning: ${variable}=${process.env[variable]} is set here and still wins.`);
  return DONE;
};

const placeServer = (address: TargetAddress, place: string | null): Result<TargetAddress, Failure> => {
  if (place === null) return ok(address);
  if (address.protocol !== "ssh")
    return failUsage("--server-at is for ssh:// addresses: others have their port in them");
  return isServerPlace(place)
    ? ok({ ...address, server_at: place })
    : failUsage(describeBadPlace("--server-at", place));
};

const endConnection = async (config: Config, name: string): Promise<void> => {
  const { ssh } = await findWay(listEntries(config)[name] ?? {});
  if (ssh !== null) await (await import("../connection/ssh-tunnel.ts")).closeTunnel(ssh);
};

const add = async (config: Config, [name, url]: readonly string[], flags: FlagValues): Promise<Outcome> => {
  if (name === undefined || url === undefined)
    return failUsage(
      "nx target add takes a name and an address",
      "for example: nx target add lab https://gpu-box:54323",
    );
  const { checkTargetName, parseTargetUrl } = await import("../targets/target-url.ts");
  const named = checkTargetName(name);
  if (!named.ok) return named;
  const address = parseTargetUrl(url);
  if (!address.ok) return address;
  const known = findEntry(config, name);
  if (known !== null && describeAddress(known) !== describeAddress(address.value))
    return failState(`"${name}" is ${describeAddress(known)} already`, `take it out first: nx target remove ${name}`);
  const placed = placeServer(address.value, readText(flags, "server-at"));
  if (!placed.ok) return placed;
  const { addTarget } = await import("../setup/add-target.ts");
  return addTarget({ name, address: placed.value, config }, flags);
};

const remove = async (config: Config, word: string | undefined, flags: FlagValues): Promise<Outcome> => {
  const name = findName(config, word);
  if (!name.ok) return name;
  if (name.value === LOCAL) return failUsage("the target local is always there");
  const agreed = readSwitch(flags, "yes")
    ? ok(true)
    : await confirm(
        `Remove the target ${name.value} with its token?`,
        "nx target remove asks on a terminal only",
        "add -y to go ahead",
      );
  if (!agreed.ok) return agreed;
  if (!agreed.value) return fail("nothing was removed");
  const isDefault = config["default_target"] === name.value;
  const options = isDefault ? { default_target: null } : {};
  const changed = await changeConfig({ options, targets: { [name.value]: null } });
  if (!changed.ok) return changed;
  (await import("../targets/pinned-certificate.ts")).removePem(name.value);
  await endConnection(config, name.value);
  print(`Target ${name.value} is removed.${isDefault ? " Commands go to local now." : ""}`);
  return DONE;
};

const MAX_WORDS: Readonly<Record<string, number>> = { add: 3, remove: 2 };

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action = "list", ...rest] = words;
  const extra = words[MAX_WORDS[action] ?? 1];
  if (extra !== undefined) return failUsage(`nx target ${action} does not take "${extra}"`, `the usage is: ${USAGE}`);
  const config = await readConfig();
  if (!config.ok) return config;
  if (action === "list") return list(config.value, flags);
  if (action === "add") return add(config.value, rest, flags);
  return action === "remove" ? remove(config.value, rest[0], flags) : choose(config.value, action);
};

export const verb: Verb = listRows({
  name: "target",
  usage: USAGE,
  summary: "the servers that you use",
  flags: [
    { long: "fingerprint", value: "SHA256", help: "add: expect this certificate" },
    { long: "ssh-key", value: "FILE", help: "add: register it, to attach with ssh" },
    { long: "server-at", value: "PORT", help: "add, ssh://: the server's port there, or its socket" },
    { long: "token-stdin", help: "add: the token comes on standard input" },
    { long: "yes", short: "y", help: "don't ask" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "names only" },
  ],
  examples: [
    "nx target add lab https://gpu-box.example",
    "nx target add box ssh://ada@gpu-box",
    "nx target lab",
    "nx target list",
  ],
  run,
});
