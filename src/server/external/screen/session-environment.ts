import type { Environment } from "../../core/store.ts";
import { PASSED_PREFIX } from "./run-script.ts";

type ServerEnvironment = Readonly<Record<string, string | undefined>>;

const NEEDED_BY_THE_SESSION = /^(PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+)$/;
const BASH_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const KEPT_BY_BASH: ReadonlySet<string> = new Set([
  ...["UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO", "BASHPID"],
  ...["IFS", "PWD", "OLDPWD", "SHLVL", "_", "BASH_ARGV0", "OPTIND", "OPTERR"],
]);

/** What a program of screen needs of the server's environment, and nothing else. */
export const selectNeeded = (serverEnv: ServerEnvironment): Environment =>
  Object.fromEntries(
    Object.entries(serverEnv).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && NEEDED_BY_THE_SESSION.test(entry[0]),
    ),
  );

const passVariable = (name: string): string => (BASH_NAME.test(name) ? `${PASSED_PREFIX}${name}` : name);

/**
 * The dynamic loader takes variables like `LD_LIBRARY_PATH` and `TMPDIR` from a setgid screen, and screen sets some
 * itself: so a job's variables pass under a prefix that its script takes off.
 */
export const buildSessionEnvironment = (
  id: string,
  environment: Environment,
  serverEnv: ServerEnvironment,
): Environment => {
  const passed = Object.entries(environment).filter(([name]) => name !== "NEXUS_JOB_ID" && !KEPT_BY_BASH.has(name));
  return {
    ...selectNeeded(serverEnv),
    ...Object.fromEntries(passed.map(([name, value]) => [passVariable(name), value])),
    NEXUS_JOB_ID: id,
  };
};
