import { existsSync } from "node:fs";
import { cpus, homedir, hostname } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeError } from "../shared/describe-error.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { VERSION } from "../shared/version.ts";
import { readSettings, type Settings } from "./core/config.ts";
import { createLog } from "./external/log.ts";
import { readSettingsFile } from "./external/settings-file.ts";
import { startServer } from "./start-server.ts";

type Mistake = Readonly<{ message: string }>;
type Flags = Readonly<Record<string, string | undefined>>;

const USAGE_EXIT_CODE = 2;
const SYSTEM_CONFIG = "/etc/nexus_server/config.toml";

const HELP = `nexus-server: runs the jobs of this machine

Usage
  nexus-server [flags]                  run in the foreground
  nexus-server backup [--output FILE]   copy its state to a file, also while the server runs
  nexus-server restore [FILE]           put a backup (default: the latest) in the place of its state
  nexus-server version                  print the version

Flags
  --server-dir DIR          where its state lives (default: ~/.local/state/nexus-server)
  --host ADDRESS            address to listen on (default: 127.0.0.1)
  --port N                  port to listen on, 0 for any (default: 54323)
  --mock-gpus N             pretend to have N GPUs
  --output FILE             where a backup goes (default: the folder backups in the server folder)
  -h, --help                this text

A running server makes a backup each day and keeps those of 7 days. A backup holds the key of the jobs'
environments: keep it as safe as the server folder.

Every setting can also be in config.toml in the server folder, or in a variable NS_NAME.

Example
  nexus-server --mock-gpus 2 --port 0
`;

const OPTIONS = {
  "server-dir": { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "mock-gpus": { type: "string" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

const locateDefaultDir = (env: NodeJS.ProcessEnv): string =>
  join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "nexus-server");

const selectFlags = (values: Flags): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ["server-dir", "host", "port", "mock-gpus"].flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[name.replaceAll("-", "_"), value]];
    }),
  );

const loadSettings = (values: Flags): Result<Settings, Mistake> => {
  const env = process.env;
  const serverDir = values["server-dir"] ?? env["NS_SERVER_DIR"] ?? locateDefaultDir(env);
  const own = join(serverDir, "config.toml");
  const file = readSettingsFile(existsSync(own) ? own : SYSTEM_CONFIG);
  if (!file.ok) return file;
  const host = { serverDir, hostname: hostname(), cores: cpus().length };
  return readSettings({ file: file.value, env, flags: selectFlags(values) }, host);
};

const parseCommandLine = (): Result<
  ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>,
  Mistake
> => {
  try {
    return ok(parseArgs({ args: process.argv.slice(2), options: OPTIONS, allowPositionals: true }));
  } catch (error) {
    const problem = describeError(error).split(". ")[0];
    return err({ message: `${problem} (see nexus-server --help)` });
  }
};

const fail = (message: string, exitCode: number): never => {
  process.stderr.write(`nexus-server: ${message}\n`);
  process.exit(exitCode);
};

const run = async (values: Flags): Promise<void> => {
  const settings = loadSettings(values);
  if (!settings.ok) return fail(settings.error.message, 1);
  const log = createLog(process.stdout.isTTY === true, settings.value.logLevel);
  const started = await startServer(settings.value, log);
  if (!started.ok) return fail(started.error.message, 1);
  const stop = (): void => {
    void started.value.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
};

const print = (outcome: Result<Readonly<{ stdout: string; stderr: string }>, Mistake>): void => {
  const { stdout, stderr } = outcome.ok ? outcome.value : fail(outcome.error.message, 1);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
};

const backUp = async (values: Flags): Promise<void> => {
  const settings = loadSettings(values);
  if (!settings.ok) return fail(settings.error.message, 1);
  const { runBackup } = await import("./verbs/backup.ts");
  print(runBackup({ serverDir: settings.value.serverDir, output: values["output"] }));
};

const restore = async (values: Flags, file: string | undefined): Promise<void> => {
  const settings = loadSettings(values);
  if (!settings.ok) return fail(settings.error.message, 1);
  const { runRestore } = await import("./verbs/restore.ts");
  print(runRestore({ serverDir: settings.value.serverDir, file }));
};

const refuseWords = (verb: string | undefined, words: readonly string[], values: Flags): void => {
  const [extra] = words.slice(verb === "restore" ? 1 : 0);
  if (extra !== undefined) fail(`"${extra}" is one word too many; see nexus-server --help`, USAGE_EXIT_CODE);
  if (values["output"] !== undefined && verb !== "backup")
    fail("--output goes with backup; see nexus-server --help", USAGE_EXIT_CODE);
};

const VERBS: Readonly<Record<string, (values: Flags, file: string | undefined) => Promise<void>>> = {
  backup: backUp,
  restore,
  help: async () => void process.stdout.write(HELP),
  version: async () => void process.stdout.write(`${VERSION}\n`),
};

const main = async (): Promise<void> => {
  const parsed = parseCommandLine();
  if (!parsed.ok) return fail(parsed.error.message, USAGE_EXIT_CODE);
  const { values, positionals } = parsed.value;
  const [word, ...words] = positionals;
  const verb = values.help === true ? "help" : values.version === true ? "version" : word;
  const known = verb === undefined ? run : VERBS[verb];
  if (known === undefined)
    return fail(`"${verb}" is not a verb of nexus-server; see nexus-server --help`, USAGE_EXIT_CODE);
  refuseWords(verb, words, values as Flags);
  await known(values as Flags, words[0]);
};

await main();
