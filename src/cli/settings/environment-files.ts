import { readFileSync, statSync } from "node:fs";
import { describeError } from "../../base/describe-error.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { hint } from "../terminal/output.ts";
import { locateOwn } from "./config-file.ts";
import { listBrokenLines, readEnv } from "./env-text.ts";
import { isFile } from "./write-file.ts";

type Environment = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const readOwnText = (path: string): Result<string, Failure> => {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return fail(`${path} can't be read: ${describeError(error)}`);
  }
};

const warnOfBroken = (path: string, lines: readonly number[]): void => {
  const [which, are] =
    lines.length === 1 ? ["line", "is no NAME=VALUE and is"] : ["lines", "are no NAME=VALUE and are"];
  if (lines.length > 0) hint(`Warning: ${escapeText(path)}, ${which} ${lines.join(", ")} ${are} left out`);
};

const readEnvFile = (path: string, earlier: Environment): Result<Environment, Failure> => {
  const text = readOwnText(path);
  if (!text.ok) return text;
  warnOfBroken(path, listBrokenLines(text.value));
  return ok(readEnv(text.value, { ...process.env, ...earlier }));
};

const parsePair = (pair: string): Result<readonly [string, string], Failure> => {
  const split = pair.indexOf("=");
  const name = split === -1 ? pair : pair.slice(0, split);
  if (!NAME.test(name)) return failUsage(`-e takes NAME=VALUE, not "${name}"`);
  if (split !== -1) return ok([name, pair.slice(split + 1)]);
  const own = process.env[name];
  return own === undefined
    ? failUsage(`-e ${name}: it has no value here`, `give one with -e ${name}=VALUE`)
    : ok([name, own]);
};

const mergeLayers = (layers: readonly Environment[]): Environment => {
  const overridden = layers.flatMap((layer, index) =>
    Object.keys(layer).filter((name) =>
      layers.slice(0, index).some((earlier) => Object.hasOwn(earlier, name) && earlier[name] !== layer[name]),
    ),
  );
  if (overridden.length > 0) hint(`Overridden variables: ${[...new Set(overridden)].join(", ")}`);
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)));
};

/** The variables of `-e`, with the shell's values of those that have none. */
export const parsePairs = (pairs: readonly string[]): Result<Environment, Failure> => {
  const given: (readonly [string, string])[] = [];
  for (const pair of pairs) {
    const parsed = parsePair(pair);
    if (!parsed.ok) return parsed;
    given.push(parsed.value);
  }
  return ok(Object.fromEntries(given));
};

const readFiles = (
  paths: readonly string[],
  earlier: readonly Environment[] = [],
): Result<readonly Environment[], Failure> => {
  const layers: Environment[] = [];
  for (const path of paths) {
    const layer = readEnvFile(path, Object.assign({}, ...earlier, ...layers));
    if (!layer.ok) return layer;
    layers.push(layer.value);
  }
  return ok(layers);
};

type Layers = Readonly<{ own: readonly Environment[]; given: readonly Environment[] }>;

const readLayers = (
  pairs: readonly string[],
  envFile: string | null,
  earlier: readonly Environment[],
): Result<Layers, Failure> => {
  if (envFile !== null && statSync(envFile, { throwIfNoEntry: false }) === undefined)
    return failUsage(`--env-file ${envFile}: there is no such file`);
  const named = parsePairs(pairs);
  if (!named.ok) return named;
  const files = readFiles([locateOwn(".env"), ".env"].filter(isFile), earlier);
  if (!files.ok) return files;
  const own = [...earlier, ...files.value];
  const file = readFiles(envFile === null ? [] : [envFile], own);
  return file.ok ? ok({ own, given: [...file.value, named.value] }) : file;
};

/** Those of `earlier`, then `~/.nexus/.env`, then `./.env`, then `--env-file`, then each `-e`: the later wins. */
export const collectEnvironment = (
  pairs: readonly string[],
  envFile: string | null,
  earlier: readonly Environment[] = [],
): Result<Environment, Failure> => {
  const layers = readLayers(pairs, envFile, earlier);
  return layers.ok ? ok(mergeLayers([...layers.value.own, ...layers.value.given])) : layers;
};

/** `given` are the names of those that the flags give. */
export type NamedValues = Readonly<{ values: Environment; given: readonly string[] }>;

const pick = (environment: Environment, names: readonly string[]): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => names.includes(name)));

type Sources = Readonly<{ pairs: readonly string[]; envFile: string | null; earlier: readonly Environment[] }>;

/** The same, but of `earlier` and the files only variables of these names. */
export const collectNamed = (
  names: readonly string[],
  { pairs, envFile, earlier }: Sources,
): Result<NamedValues, Failure> => {
  const layers = readLayers(pairs, envFile, earlier);
  if (!layers.ok) return layers;
  const own = layers.value.own.map((layer) => pick(layer, names));
  const given = layers.value.given.flatMap(Object.keys);
  return ok({ values: mergeLayers([...own, ...layers.value.given]), given });
};

export const readJobrc = (): Result<string | null, Failure> => {
  const path = locateOwn(".jobrc");
  return isFile(path) ? readOwnText(path) : ok(null);
};
