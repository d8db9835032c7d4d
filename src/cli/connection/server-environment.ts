import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

type Environment = Readonly<Record<string, string>>;

const PLAIN = /^(?:HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|XDG_\w+|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE)$/;
const PROXY = /^(?:(?:http|https|ftp|all|no)_proxy|(?:HTTP|HTTPS|FTP|ALL|NO)_PROXY)$/;
const SETTING = /^NS_/;

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOGIN_LIMIT_MS = 2000;
const TELL_PATH = "exec printenv PATH";

const pick = (variables: NodeJS.ProcessEnv, patterns: readonly RegExp[]): Environment =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value !== undefined && patterns.some((pattern) => pattern.test(name)) ? [[name, value]] : [],
    ),
  );

const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    return;
  }
};

const runLogin = (shell: string, env: Environment, output: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const cwd = env["HOME"] || "/";
  const child = spawn(shell, ["-lc", TELL_PATH], { cwd, env, detached: true, stdio: ["ignore", output, "ignore"] });
  const timer = setTimeout(() => killGroup(child.pid), LOGIN_LIMIT_MS);
  child.once("error", () => resolve(false));
  child.once("exit", (code) => resolve(code === 0));
  return promise.finally(() => clearTimeout(timer));
};

const readPath = (file: string): string => readFileSync(file, "utf8").trimEnd().split("\n").at(-1) ?? "";

const askLogin = async (env: Environment, serverDir: string): Promise<string> => {
  const file = join(serverDir, `.path-${process.pid}`);
  const output = openSync(file, "w", 0o600);
  try {
    return (await runLogin(env["SHELL"] ?? "", env, output)) ? readPath(file) : "";
  } catch {
    return "";
  } finally {
    closeSync(output);
    rmSync(file, { force: true });
  }
};

/**
 * All that a server has of the user's variables: not those of the shell that happens to start it. PATH is as a login shell has
 * it, else the system's. `serverDir` can be written.
 */
export const createServerEnvironment = async (
  variables: NodeJS.ProcessEnv,
  serverDir: string,
): Promise<Environment> => {
  const login = { ...pick(variables, [PLAIN, PROXY]), PATH: SYSTEM_PATH };
  const path = await askLogin(login, serverDir);
  return { ...login, ...pick(variables, [SETTING]), PATH: path.startsWith("/") ? path : SYSTEM_PATH };
};
