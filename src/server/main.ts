import { existsSync } from "node:fs";
import { cpus, homedir, hostname } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeError } from "../shared/describe-error.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { VERSION } from "../shared/version.ts";
import { readSettings, type Settings } from "./core/config.ts";
import type { OnStep } from "./core/ports.ts";
import { createLog } from "./external/log.ts";
import { readSettingsFile } from "./external/settings-file.ts";
import { startServer } from "./start-server.ts";

type Mistake = Readonly<{ message: string }>;
type Flags = Readonly<Record<string, string | undefined>>;

const USAGE_EXIT_CODE = 2;
const SYSTEM_CONFIG = "/etc/nexus_server/config.toml";

const HELP = `nexus-server: runs the jobs of this machine

Usage
  nexus-server [flags]      run in the foreground
  nexus-server version      print the version

Flags
  --server-dir DIR          where its state lives (default: ~/.local/state/nexus-server)
  --host ADDRESS            address to listen on (default: 127.0.0.1)
  --port N                  port to listen on, 0 for any (default: 54323)
  --mock-gpus N             pretend to have N GPUs
  -h, --help                this text

Every setting can also be in config.toml in the server folder, or in a variable NS_NAME.

Example
  nexus-server --mock-gpus 2 --port 0
`;

const OPTIONS = {
  "server-dir": { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "mock-gpus": { type: "string" },
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

const run = async (values: Flags, onStep: OnStep | undefined): Promise<void> => {
  const settings = loadSettings(values);
  if (!settings.ok) return fail(settings.error.message, 1);
  const log = createLog(process.stdout.isTTY === true, settings.value.logLevel);
  const started = await startServer(settings.value, { log, onStep });
  if (!started.ok) return fail(started.error.message, 1);
  const stop = (): void => {
    void started.value.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
};

/** Does what the command line says. */
export const main = async (onStep?: OnStep): Promise<void> => {
  const parsed = parseCommandLine();
  if (!parsed.ok) return fail(parsed.error.message, USAGE_EXIT_CODE);
  const { values, positionals } = parsed.value;
  const [verb] = positionals;
  if (values.help === true || verb === "help") process.stdout.write(HELP);
  else if (values.version === true || verb === "version") process.stdout.write(`${VERSION}\n`);
  else if (verb !== undefined)
    fail(`"${verb}" is not a verb of nexus-server; see nexus-server --help`, USAGE_EXIT_CODE);
  else await run(values as Flags, onStep);
};

if (import.meta.main) await main();
