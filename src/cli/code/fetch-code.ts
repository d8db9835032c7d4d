import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, UNREACHABLE } from "../../command-line/usage.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import type { KeptFolder } from "./kept-folder.ts";
import { cleanTree } from "./place-tree.ts";

const NOT_OURS = ["/*", "..", "../*", "*/..", "*/../*"].map((pattern) => `--exclude=${pattern}`);
const UNPACKING = [
  ...["--no-same-owner", "--no-same-permissions", "--no-overwrite-dir", "--delay-directory-restore"],
  ...["--anchored", "--wildcards", "--wildcards-match-slash", ...NOT_OURS],
];

const saveBody = async (body: ReadableStream<Uint8Array>, path: string): Promise<Result<void, Failure>> => {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of body) await file.writeFile(chunk);
    return ok(undefined);
  } catch (error) {
    return err({ exitCode: UNREACHABLE, message: `the code did not arrive whole: ${describeError(error)}` });
  } finally {
    await file.close();
  }
};

const unpack = (archive: string, folder: string, signal: AbortSignal): Promise<Result<void, Failure>> => {
  const { TAR_OPTIONS: _options, ...env } = process.env;
  const { promise, resolve } = Promise.withResolvers<Result<void, Failure>>();
  const words = ["--extract", `--file=${archive}`, "--force-local", `--directory=${folder}`, ...UNPACKING];
  const child = spawn("tar", words, { env: { ...env, LC_ALL: "C" }, stdio: ["ignore", "ignore", "pipe"], signal });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(0, 4096)));
  child.on("error", (error) => resolve(fail(`the code can't be unpacked: ${describeError(error)}`)));
  child.on("close", (code) =>
    resolve(code === 0 ? ok(undefined) : fail(`the code can't be unpacked: ${errors.split("\n")[0] ?? ""}`)),
  );
  return promise;
};

/** The tar of the job's code. */
export const openCode = (api: Api, id: string): ApiResult<ReadableStream<Uint8Array>> =>
  api.stream(`/v1/jobs/${encodeURIComponent(id)}/code`, new AbortController().signal);

/** Unpacks it into a folder called `name` in one of our own, where only files, links and folders are then. */
export const unpackCode = (
  body: ReadableStream<Uint8Array>,
  { folder, keep }: KeptFolder,
  name = "code",
): Promise<Result<string, Failure>> =>
  keep(async (signal) => {
    const [archive, target] = [join(folder, `${name}.tar`), join(folder, name)];
    const saved = await saveBody(body, archive);
    if (!saved.ok) return saved;
    mkdirSync(target);
    const unpacked = await unpack(archive, target, signal);
    if (!unpacked.ok) return unpacked;
    cleanTree(Buffer.from(target));
    return ok(target);
  });
