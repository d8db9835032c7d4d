import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { escapeText } from "../../base/escape-text.ts";
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
import { fail, failUsage } from "../../command-line/usage.ts";
import { openCode, unpackCode } from "../code/fetch-code.ts";
import { createKeptFolder } from "../code/kept-folder.ts";
import { placeTree } from "../code/place-tree.ts";
import { connect } from "../connection/connect.ts";
import { hideFromGit } from "../files/target-folder.ts";
import { print, printJson } from "../terminal/output.ts";

const STAGE = ".nx-code-";
const USUAL = "nexus-code";

const makeFolder = (path: string, isHiddenFromGit: boolean): void => {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  if (isHiddenFromGit) hideFromGit(join(path, ".gitignore"));
};

const prepareTarget = (named: string | null, id: string): Result<string, Failure> => {
  const path = resolve(named ?? join(USUAL, id));
  try {
    if (existsSync(path) && !statSync(path).isDirectory()) return fail(`${escapeText(path)} is no folder`);
    if (existsSync(path)) return ok(realpathSync(path));
    makeFolder(dirname(path), named === null);
    return ok(join(realpathSync(dirname(path)), path.slice(dirname(path).length)));
  } catch (error) {
    return fail(`${escapeText(path)} can't be written: ${describeError(error)}`);
  }
};

type Wanted = Readonly<{ body: ReadableStream<Uint8Array>; target: string; isForced: boolean }>;

const placeCode = async ({ body, target, isForced }: Wanted): Promise<Result<void, Failure>> => {
  const stage = createKeptFolder(join(existsSync(target) ? target : dirname(target), STAGE));
  try {
    const unpacked = await unpackCode(body, stage);
    return unpacked.ok ? placeTree(unpacked.value, target, isForced) : unpacked;
  } finally {
    stage.dispose();
  }
};

const tryPlacing = async (wanted: Wanted): Promise<Result<void, Failure>> => {
  try {
    return await placeCode(wanted);
  } catch (error) {
    return fail(`the code can't be written to ${escapeText(wanted.target)}: ${describeError(error)}`);
  }
};

const report = (id: string, folder: string, flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson({ id, folder });
  else if (readSwitch(flags, "quiet")) print(folder);
  else print(`The code of job ${id} is in ${escapeText(folder)}`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (!id || words.length > 1) return failUsage("nx code takes one job id", "see nx queue and nx history");
  const api = await connect(flags);
  if (!api.ok) return api;
  const body = await openCode(api.value, id);
  if (!body.ok) return body;
  const named = readText(flags, "output");
  const target = prepareTarget(named, id);
  if (!target.ok) return target;
  const wanted = { body: body.value, target: target.value, isForced: readSwitch(flags, "force") };
  const placed = await tryPlacing(wanted);
  if (!placed.ok) return placed;
  report(id, named ?? join(USUAL, id), flags);
  return DONE;
};

export const verb: Verb = {
  name: "code",
  usage: "nx code [flags] ID",
  summary: "fetch the code that a job ran",
  flags: [
    { long: "output", short: "o", value: "DIR", default: `${USUAL}/ID`, help: "where to" },
    { long: "force", short: "f", help: "overwrite files that differ" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "the folder only" },
  ],
  examples: ["nx code k3f9ab", "nx code -o ../as-it-was k3f9ab"],
  run,
};
