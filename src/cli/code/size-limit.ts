import { lstatSync } from "node:fs";
import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { MAX_ARTIFACT_BYTES } from "../../wire/limits.ts";
import { runGit } from "./run-git.ts";

export type SizedFile = Readonly<{ name: string; bytes: number }>;

const MIB = 1024 * 1024;
const LARGEST_SHOWN = 5;

const formatMib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

const sumBytes = (files: readonly SizedFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

export const refuseSize = (bytes: number, files: readonly SizedFile[]): Result<never, Failure> => {
  const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST_SHOWN);
  const names = largest.map((file) => `${file.name} (${formatMib(file.bytes)})`).join(", ");
  const size = `${formatMib(bytes)} of files, at most ${MAX_ARTIFACT_BYTES / MIB} MiB can travel`;
  return fail(`the repository has ${size}; add the large ones to .gitignore: ${names}`);
};

const measureFile = (path: string): number => {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true ? status.size : 0;
};

const dropPointers = (top: string, files: readonly SizedFile[]): readonly SizedFile[] => {
  const input = files.map(({ name }) => `${name}\0`).join("");
  const fields = runGit(top, ["check-attr", "-z", "--stdin", "filter"], { input }).text.split("\0");
  const pointers = new Set(fields.filter((_field, index) => fields[index + 2] === "lfs" && index % 3 === 0));
  return files.filter(({ name }) => !pointers.has(name));
};

/** Looks at the new and the changed files before git copies them, which for a folder of checkpoints takes minutes. */
export const checkChangedSize = (top: string): Result<void, Failure> => {
  const listed = runGit(top, ["ls-files", "-z", "--others", "--modified", "--exclude-standard", "--deduplicate"]);
  const names = listed.text.split("\0").filter((name) => name !== "");
  const files = names.map((name) => ({ name, bytes: measureFile(join(top, name)) }));
  if (sumBytes(files) <= MAX_ARTIFACT_BYTES) return ok(undefined);
  const travelling = dropPointers(top, files);
  const bytes = sumBytes(travelling);
  return bytes <= MAX_ARTIFACT_BYTES ? ok(undefined) : refuseSize(bytes, travelling);
};
