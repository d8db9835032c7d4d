import { ok, type Result } from "../../../base/result.ts";
import type { Failure } from "../../../command-line/command.ts";
import { fail } from "../../../command-line/usage.ts";
import { MAX_ARTIFACT_BYTES } from "../../../wire/limits.ts";
import { readName } from "../run-git.ts";
import type { SizedFile } from "../working-files.ts";

const MIB = 1024 * 1024;
const LARGEST_SHOWN = 5;
const REMEDIES = [
  [false, "new ones, to be added to .gitignore"],
  [true, "tracked ones, for which .gitignore does nothing before git rm --cached, which leaves them where they are"],
] as const;

const formatMib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

const sumBytes = (files: readonly SizedFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

const listKind = (largest: readonly SizedFile[], [isTracked, remedy]: (typeof REMEDIES)[number]): readonly string[] => {
  const names = largest
    .filter((file) => file.isTracked === isTracked)
    .map(({ name, bytes }) => `${readName(name)} (${formatMib(bytes)})`);
  return names.length === 0 ? [] : [`${remedy}: ${names.join(", ")}`];
};

export const refuseSize = (bytes: number, files: readonly SizedFile[]): Result<never, Failure> => {
  const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST_SHOWN);
  const kinds = REMEDIES.flatMap((kind) => listKind(largest, kind));
  const size = `${formatMib(bytes)} of files, at most ${MAX_ARTIFACT_BYTES / MIB} MiB can travel`;
  return fail(`the repository has ${size}; the largest are ${kinds.join("; ")}`);
};

/** Before git reads and copies them, which for a folder of checkpoints takes minutes. */
export const checkSize = (files: readonly SizedFile[]): Result<void, Failure> => {
  const bytes = sumBytes(files);
  return bytes <= MAX_ARTIFACT_BYTES ? ok(undefined) : refuseSize(bytes, files);
};
