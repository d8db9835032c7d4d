import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { ok, type Result } from "../shared/result.ts";
import { locateHome } from "./config-file.ts";
import { failUsage } from "./failure.ts";
import { hint } from "./output.ts";
import type { Failure } from "./verb.ts";

type Environment = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const readEnvFile = (path: string): Environment =>
  existsSync(path) ? (parseEnv(readFileSync(path, "utf8")) as Environment) : {};

const parsePair = (pair: string): Result<readonly [string, string], Failure> => {
  const split = pair.indexOf("=");
  const name = split === -1 ? pair : pair.slice(0, split);
  if (!NAME.test(name)) return failUsage(`-e takes NAME=VALUE, not "${name}"`);
  if (split !== -1) return ok([name, pair.slice(split + 1)]);
  const own = process.env[name];
  return own === undefined
    ? failUsage(`-e ${name}: it has no value here; give one with -e ${name}=VALUE`)
    : ok([name, own]);
};

const mergeLayers = (layers: readonly Environment[]): Environment => {
  const overridden = layers.flatMap((layer, index) =>
    Object.keys(layer).filter((name) =>
      layers.slice(0, index).some((earlier) => name in earlier && earlier[name] !== layer[name]),
    ),
  );
  if (overridden.length > 0) hint(`Overridden variables: ${[...new Set(overridden)].join(", ")}`);
  return Object.assign({}, ...layers) as Environment;
};

/** `~/.nexus/.env`, then `./.env`, then `--env-file`, then each `-e`: the later wins. */
export const collectEnvironment = (pairs: readonly string[], envFile: string | null): Result<Environment, Failure> => {
  if (envFile !== null && !existsSync(envFile)) return failUsage(`--env-file ${envFile}: there is no such file`);
  const given: Record<string, string> = {};
  for (const pair of pairs) {
    const parsed = parsePair(pair);
    if (!parsed.ok) return parsed;
    given[parsed.value[0]] = parsed.value[1];
  }
  const files = [join(locateHome(), ".nexus", ".env"), ".env", ...(envFile === null ? [] : [envFile])];
  return ok(mergeLayers([...files.map(readEnvFile), given]));
};

export const readJobrc = (): string | null => {
  const path = join(locateHome(), ".nexus", ".jobrc");
  return existsSync(path) ? readFileSync(path, "utf8") : null;
};
