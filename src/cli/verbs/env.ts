import { existsSync, readFileSync } from "node:fs";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { MASK } from "../../base/secret-names.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { fail, failMissing, failUsage } from "../../command-line/usage.ts";
import { locateOwn } from "../settings/config-file.ts";
import { type CheckFile, editFile } from "../settings/edit-file.ts";
import { listBrokenLines, readEnv, setInEnv } from "../settings/env-text.ts";
import { writePrivateFile } from "../settings/write-file.ts";
import { hint, print, printJson } from "../terminal/output.ts";
import { askSecret } from "../terminal/prompt.ts";
import { readStandardInput } from "../terminal/standard-input.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ACTIONS = ["show", "edit", "set", "unset"];
const TEMPLATE = "# Variables for all of your jobs, one NAME=VALUE a line.\n";

const locate = (): string => locateOwn(".env");

const readText = (): string => (existsSync(locate()) ? readFileSync(locate(), "utf8") : "");

const check: CheckFile = async (path) => {
  const [line] = listBrokenLines(readFileSync(path, "utf8"));
  return line === undefined ? null : `${path}, line ${line}: this is no NAME=VALUE`;
};

const show = (flags: FlagValues): Outcome => {
  const isClear = readSwitch(flags, "clear");
  const shown = Object.entries(readEnv(readText())).map(([name, value]) => [name, isClear ? value : MASK] as const);
  if (readSwitch(flags, "json")) printJson(Object.fromEntries(shown));
  else if (readSwitch(flags, "quiet")) for (const [name] of shown) print(name);
  else if (shown.length === 0) hint(`No variables yet in ${locate()}; set one with: nx env set NAME=VALUE`);
  else for (const [name, value] of shown) print(`${name}=${escapeText(value)}`);
  return DONE;
};

const readValue = async (name: string, flags: FlagValues): Promise<Result<string, Failure>> =>
  readSwitch(flags, "stdin")
    ? ok(readStandardInput())
    : askSecret(
        `Value of ${name} (not shown): `,
        `nx env set ${name} asks on a terminal only`,
        `give it as ${name}=VALUE, or on standard input with --stdin`,
      );

const write = (name: string, value: string | null): Outcome => {
  const changed = setInEnv(readText(), name, value);
  if (changed === null) return fail(`${name} can't be changed in ${locate()} by this`, "use: nx env edit");
  const written = writePrivateFile(locate(), changed);
  if (!written.ok) return written;
  print(`${name} is ${value === null ? "removed" : "set"}.`);
  return DONE;
};

const set = async (words: readonly string[], flags: FlagValues): Promise<Outcome> => {
  const [pair = "", extra] = words;
  const split = pair.indexOf("=");
  const name = split === -1 ? pair : pair.slice(0, split);
  if (!NAME.test(name)) return failUsage(`nx env set takes NAME=VALUE or NAME, not "${name}"`);
  if (extra !== undefined) return failUsage("nx env set takes one variable", "quote a value with blanks in it");
  const value = split === -1 ? await readValue(name, flags) : ok(pair.slice(split + 1));
  return value.ok ? write(name, value.value) : value;
};

const unset = (words: readonly string[]): Outcome => {
  const [name = "", extra] = words;
  if (name === "" || extra !== undefined) return failUsage("nx env unset takes one name");
  return Object.hasOwn(readEnv(readText()), name) ? write(name, null) : failMissing(`${name} is not in ${locate()}`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action = "show", ...rest] = words;
  if (!ACTIONS.includes(action)) return refuseWord("nx env", action, ACTIONS);
  if (action === "set") return set(rest, flags);
  if (action === "unset") return unset(rest);
  if (rest.length > 0) return failUsage(`nx env ${action} takes nothing more, not "${rest[0]}"`);
  return action === "edit" ? editFile(locate(), { template: TEMPLATE, check }) : show(flags);
};

export const verb: Verb = {
  name: "env",
  usage: "nx env [show|edit|set K=V|set K|unset K]",
  summary: "variables for all of your jobs",
  flags: [
    { long: "stdin", help: "set K: its value comes on standard input" },
    { long: "clear", help: "show values as they are" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "names only" },
  ],
  examples: ["nx env set WANDB_ENTITY=lab", "nx env set WANDB_API_KEY", "nx env"],
  run,
};
