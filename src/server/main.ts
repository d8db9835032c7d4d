import { parseArgs } from "node:util";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { Log } from "./core/telemetry/log.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import { type Flags, loadSettings, locateSettingsFile } from "./external/settings/load-settings.ts";
import { isReadByOthers } from "./external/settings/private-settings.ts";
import { createLog } from "./external/telemetry/log.ts";
import { renderServerHelp, renderServerVerbHelp } from "./server-help.ts";
import type { Mistake, ServerCall, ServerFlag, ServerVerb } from "./server-verb.ts";
import { startServer } from "./start-server.ts";
import { SERVER_VERBS, SETTING_FLAGS } from "./verb-table.ts";

const FAILED = 1;
const USAGE = 2;

const HELP_FLAG: ServerFlag = { name: "help", short: "h", help: "" };
const VERSION_FLAG: ServerFlag = { name: "version", help: "" };
const FLAG_WORD = /^-(?!\d)/;
const BARE_MOCK_GPUS = "--mock-gpus";

const fail = (message: string, exitCode: number): never => {
  process.stderr.write(`nexus-server: ${message}\n`);
  process.exit(exitCode);
};

const warnOfReaders = (log: Log, path: string, { apiToken }: Settings): void => {
  if (apiToken === null || !isReadByOthers(path)) return;
  log.warn("others may read the settings, and api_token in them", { path, mend: `chmod 600 ${path}` });
};

const serve = async ({ flags }: ServerCall, onStep: OnStep | undefined): Promise<Result<number, Mistake>> => {
  const path = locateSettingsFile(flags);
  const settings = loadSettings(flags, path);
  if (!settings.ok) return settings;
  const log = createLog(process.stdout.isTTY === true, settings.value.logLevel);
  warnOfReaders(log, path, settings.value);
  const started = await startServer(settings.value, { log, onStep });
  if (!started.ok) return started;
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
  await promise;
  await started.value.stop();
  return ok(0);
};

const createServe = (onStep: OnStep | undefined): ServerVerb => ({
  usage: "nexus-server [flags]",
  summary: "",
  flags: [VERSION_FLAG],
  run: (call) => serve(call, onStep),
});

const toOption = ({ short, value }: ServerFlag) => ({
  type: value === undefined ? ("boolean" as const) : ("string" as const),
  ...(short === undefined ? {} : { short }),
});

const parseFlags = (args: readonly string[], flags: readonly ServerFlag[]) => {
  const options = Object.fromEntries(flags.map((flag) => [flag.name, toOption(flag)]));
  return parseArgs({ args: [...args], options, allowPositionals: true });
};

const describeMistake = (problem: string, flags: readonly ServerFlag[]): string => {
  const name = /'(?:-\w, )?--([\w-]+)/.exec(problem)?.[1] ?? "";
  const known = flags.find((flag) => flag.name === name);
  if (known?.value !== undefined) return `--${name} needs a value, as in: --${name} ${known.value}`;
  const near = suggestNearest(
    name,
    flags.map((flag) => flag.name),
  );
  return `${problem}: ${near === null || known !== undefined ? "see nexus-server --help" : `did you mean --${near}?`}`;
};

const describeExtra = (word: string): string =>
  Object.hasOwn(SERVER_VERBS, word)
    ? `the verb comes before the flags, as in: nexus-server ${word} …`
    : `"${word}" is one word too many; see nexus-server --help`;

const isValue = (word: string | undefined): boolean => word !== undefined && !FLAG_WORD.test(word);

const writeOut = (args: readonly string[]): readonly string[] =>
  args.map((word, place) => (word === BARE_MOCK_GPUS && !isValue(args[place + 1]) ? `${word}=true` : word));

const parseCall = (args: readonly string[], { flags, maxWords = 0 }: ServerVerb): Result<ServerCall, Mistake> => {
  const known = [...flags, ...SETTING_FLAGS, HELP_FLAG];
  try {
    const { values, positionals } = parseFlags(writeOut(args), known);
    const extra = positionals[maxWords];
    if (extra !== undefined) return err({ message: describeExtra(extra) });
    return ok({ flags: values as Flags, words: positionals });
  } catch (error) {
    const problem = describeError(error).split(/\. |\.?\n/)[0] ?? "";
    return err({ message: describeMistake(problem, known) });
  }
};

const findVerb = (word: string | undefined, serving: ServerVerb): Result<ServerVerb, Mistake> => {
  const known = word === undefined ? serving : Object.hasOwn(SERVER_VERBS, word) ? SERVER_VERBS[word] : undefined;
  if (known !== undefined) return ok(known);
  const near = suggestNearest(word ?? "", Object.keys(SERVER_VERBS));
  const hint = near === null ? "see nexus-server --help" : `did you mean ${near}?`;
  return err({ message: `"${word}" is not a verb of nexus-server; ${hint}` });
};

const help = (word: string | undefined): number => {
  const verb = word === undefined ? undefined : SERVER_VERBS[word];
  process.stdout.write(verb === undefined ? renderServerHelp(SERVER_VERBS, SETTING_FLAGS) : renderServerVerbHelp(verb));
  return 0;
};

const callVerb = async (word: string | undefined, args: readonly string[], serving: ServerVerb): Promise<number> => {
  const verb = findVerb(word, serving);
  if (!verb.ok) return fail(verb.error.message, USAGE);
  const call = parseCall(args, verb.value);
  if (!call.ok) return fail(call.error.message, USAGE);
  const { flags } = call.value;
  if (flags["help"] === true) return help(word);
  const chosen = flags["version"] === true ? (SERVER_VERBS["version"] ?? verb.value) : verb.value;
  const ran = await chosen.run(call.value);
  return ran.ok ? ran.value : fail(ran.error.message, ran.error.isUsage === true ? USAGE : FAILED);
};

/** Does what the command line says; resolves with the exit code. */
export const main = async (args: readonly string[], onStep?: OnStep): Promise<number> => {
  const serving = createServe(onStep);
  const [first, ...rest] = args;
  if (first === "help") return help(rest[0]);
  const isVerb = first !== undefined && !FLAG_WORD.test(first);
  return isVerb ? callVerb(first, rest, serving) : callVerb(undefined, args, serving);
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
