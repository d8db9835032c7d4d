import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import type { WireFile } from "../../wire/files.ts";
import { readBytePath, showPath } from "./byte-path.ts";
import { flushFolder } from "./flush-file.ts";
import { type Pulled, type Pulling, pullFile } from "./pull-file.ts";

type Amount = Readonly<{ files: number; bytes: number }>;

/** What became of all; a failure is a line each. */
export type PullReport = Readonly<{
  fetched: Amount;
  there: Amount;
  differing: readonly string[];
  failed: readonly Readonly<{ path: string; why: string }>[];
}>;

const AT_ONCE = 8;

const EMPTY: PullReport = { fetched: { files: 0, bytes: 0 }, there: { files: 0, bytes: 0 }, differing: [], failed: [] };

const addTo = ({ files, bytes }: Amount, { size }: WireFile): Amount => ({ files: files + 1, bytes: bytes + size });

type Writable = { fetched: Amount; there: Amount; differing: string[]; failed: { path: string; why: string }[] };

const createTally = (): Readonly<{ add: (file: WireFile, pulled: Pulled) => void; read: () => PullReport }> => {
  const tally: Writable = { ...EMPTY, differing: [], failed: [] };
  const add = (file: WireFile, pulled: Pulled): void => {
    const path = showPath(readBytePath(file));
    if (pulled.kind === "fetched") tally.fetched = addTo(tally.fetched, file);
    if (pulled.kind === "there") tally.there = addTo(tally.there, file);
    if (pulled.kind === "differs") tally.differing.push(path);
    if (pulled.kind === "failed") tally.failed.push({ path, why: pulled.why });
  };
  return { add, read: () => tally };
};

type Each = (file: WireFile) => Promise<Failure | null>;

const takeSome = async (files: Iterator<WireFile>, each: Each): Promise<Failure | null> => {
  for (let next = files.next(); !next.done; next = files.next()) {
    const failure = await each(next.value);
    if (failure !== null) return failure;
  }
  return null;
};

const takeAll = async (files: readonly WireFile[], each: Each, abort: () => void): Promise<Failure | null> => {
  const shared = files.values();
  let first: Failure | null = null;
  const hands = Array.from({ length: AT_ONCE }, async () => {
    const failure = await takeSome(shared, each);
    first ??= failure;
    if (failure !== null) abort();
  });
  await Promise.all(hands);
  return first;
};

type Split = Readonly<{ apart: readonly WireFile[]; rest: readonly WireFile[] }>;

const splitFiles = (files: readonly WireFile[]): Split => {
  const plain = files.filter(({ type }) => type === "file");
  const apart = new Set(new Map(plain.map((file) => [readBytePath(file), file])).values());
  const repeated = plain.filter((file) => !apart.has(file));
  return { apart: [...apart], rest: [...repeated, ...files.filter(({ type }) => type === "link")] };
};

/** A few files at once, but never two for one place; links are made when all files are there, so that none is written through one. A failure is one that stops all. */
export const pullFiles = async (
  pulling: Omit<Pulling, "signal">,
  files: readonly WireFile[],
  onFile: () => void,
): Promise<Result<PullReport, Failure>> => {
  const controller = new AbortController();
  const tally = createTally();
  const each: Each = async (file) => {
    if (controller.signal.aborted) return null;
    const pulled = await pullFile({ ...pulling, signal: controller.signal }, file);
    if (!pulled.ok) return pulled.error;
    tally.add(file, pulled.value);
    onFile();
    return null;
  };
  const abort = (): void => controller.abort();
  const { apart, rest } = splitFiles(files);
  const failure = (await takeAll(apart, each, abort)) ?? (await takeSome(rest.values(), each));
  if (failure !== null) return err(failure);
  await flushFolder(pulling.top.fd);
  return ok(tally.read());
};
