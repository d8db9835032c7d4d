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
import { failUsage } from "../../command-line/usage.ts";
import { type Config, locateConfig, readConfig } from "../settings/config-file.ts";
import { type SetupAnswers, writeAnswers } from "../setup/setup-answers.ts";
import { describeAddress, listEntries } from "../targets/target.ts";
import { checkTargetName, parseTargetUrl, type TargetAddress } from "../targets/target-url.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, print } from "../terminal/output.ts";
import { canPrompt } from "../terminal/prompt.ts";

type Server = Readonly<{ name: string; address: TargetAddress }>;

const parseServer = (name: string | null, url: string): Result<Server, Failure> => {
  const address = parseTargetUrl(url);
  if (!address.ok) return address;
  const chosen = checkTargetName(name ?? address.value.host.split(".")[0] ?? "");
  return chosen.ok ? ok({ name: chosen.value, address: address.value }) : chosen;
};

const addServer = async ({ name, address }: Server, config: Config, flags: FlagValues): Promise<Outcome> => {
  const known = listEntries(config)[name];
  if (known === undefined) return (await import("../setup/add-target.ts")).addTarget({ name, address, config }, flags);
  return describeAddress(known) === describeAddress(address)
    ? DONE
    : failUsage(`there is a target "${name}" with another address`, "give --name");
};

const finish = async (answers: SetupAnswers): Promise<Outcome> => {
  const written = await writeAnswers(answers);
  if (!written.ok) return written;
  print(`Your settings are in ${locateConfig()}.`);
  hint("See them with nx config and nx env. Try: nx run -c echo hello");
  return DONE;
};

const askAll = async (config: Config, flags: FlagValues): Promise<Outcome> => {
  const { runWizard } = await import("../setup/setup-wizard.ts");
  const asked = await runWizard(config, readSwitch(flags, "remote"));
  if (!asked.ok) return asked;
  const { answers, added } = asked.value;
  const server = added === null ? null : parseServer(added.name, added.url);
  if (server?.ok === false) return server;
  const done = server === null ? DONE : await addServer(server.value, config, flags);
  return done.ok ? finish(answers) : done;
};

const readServer = (flags: FlagValues): Result<Server | null, Failure> => {
  const url = readText(flags, "url");
  if (!readSwitch(flags, "remote") && url === null) return ok(null);
  return url === null
    ? failUsage("--remote needs --url", "for example: --url https://gpu-box")
    : parseServer(readText(flags, "name"), url);
};

const takeFlags = async (config: Config, flags: FlagValues): Promise<Outcome> => {
  const { readAnswers } = await import("../setup/setup-flags.ts");
  const answers = readAnswers(flags, config);
  if (!answers.ok) return answers;
  const server = readServer(flags);
  if (!server.ok) return server;
  const done = server.value === null ? DONE : await addServer(server.value, config, flags);
  return done.ok ? finish({ ...answers.value, target: server.value?.name ?? null }) : done;
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const isAsking = !readSwitch(flags, "non-interactive");
  if (isAsking && !(canPrompt() && isTerminal("output")))
    return failUsage("nx setup asks on a terminal only", "elsewhere use --non-interactive with flags (nx help setup)");
  const config = await readConfig();
  if (!config.ok) return config;
  return isAsking ? askAll(config.value, flags) : takeFlags(config.value, flags);
};

export const verb: Verb = {
  name: "setup",
  usage: "nx setup [--non-interactive] [--remote] [flags]",
  summary: "answer a few questions, once",
  flags: [
    { long: "non-interactive", help: "ask nothing: flags and variables say all" },
    { long: "remote", help: "use a server on another machine" },
    { long: "user", value: "NAME", help: "your name on jobs" },
    { long: "integrations", value: "LIST", help: "wandb,nullpointer or none" },
    { long: "notifications", value: "LIST", help: "discord,phone or none" },
    { long: "git-tags", value: "yes|no", help: "push a git tag for each job" },
    { long: "url", value: "URL", help: "remote: the server's address" },
    { long: "name", value: "NAME", help: "remote: what to call it" },
    { long: "fingerprint", value: "SHA256", help: "remote: expect this certificate" },
    { long: "token-stdin", help: "remote: the token comes on standard input" },
    { long: "yes", short: "y", help: "remote: trust the certificate unseen" },
  ],
  maxWords: 0,
  examples: [
    "nx setup",
    "nx setup --non-interactive --user ada --integrations wandb",
    "nx setup --non-interactive --remote --url https://gpu-box --token-stdin <token",
  ],
  run,
};
