import { closeSync } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import { escapeText } from "../../base/escape-text.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, phraseFailure } from "../../command-line/usage.ts";
import type { WireFile } from "../../wire/files.ts";
import type { Api } from "../connection/api-client.ts";
import { type BytePath, encodePath, readBytePath, readByteTarget, splitPath } from "./byte-path.ts";
import { describeSystemError, type HeldFolder, withFolderAt } from "./held-folder.ts";
import { openPart, type PartFile, type Parts } from "./part-file.ts";
import { judgePlace, openPlace, putFile, putLink, type Standing } from "./place-file.ts";
import { concernsAll, type RemoteFile, readFileInto, type Sink } from "./read-file.ts";
import { createComparison } from "./same-content.ts";
import { ANOTHER_WRITES } from "./target-folder.ts";

/** `shown` is how the folder is called in messages. */
export type Pulling = Readonly<{
  api: Api;
  id: string;
  attempt?: number | null;
  top: HeldFolder;
  shown: string;
  parts: Parts;
  isForced: boolean;
  signal: AbortSignal;
  onBytes: (count: number) => void;
}>;

/** What became of one file: `why` says what is wrong with it. */
export type Pulled = Readonly<{ kind: "fetched" | "there" | "differs" } | { kind: "failed"; why: string }>;

type Outcome = Promise<Result<Pulled, Failure>>;

type Way = Readonly<{ path: BytePath; parents: readonly string[]; name: string }>;

const FULL = ["ENOSPC", "EDQUOT"];
const FETCHED: Pulled = { kind: "fetched" };
const THERE: Pulled = { kind: "there" };
const DIFFERS: Pulled = { kind: "differs" };

const failWith = (why: string): Result<Pulled, Failure> => ok({ kind: "failed", why });

const describeTrouble = (error: unknown, shown: string): Result<Pulled, Failure> => {
  const written = `${shown} can't be written, as its`;
  if (FULL.includes(readErrorCode(error)))
    return fail(`${written} disk is full: make room there and repeat this, which goes on where it stopped`);
  if (readErrorCode(error) === "EROFS")
    return fail(`${written} file system is read-only: choose another folder with -o`);
  if (readErrorCode(error) === "") throw error;
  return failWith(describeSystemError(error));
};

const findWay = (file: WireFile): Result<Way, Problem> => {
  const path = readBytePath(file);
  const names = splitPath(path);
  if (names === null) return err({ message: "its name leads out of the folder" });
  return ok({ path, parents: names.slice(0, -1), name: names.at(-1) ?? "" });
};

const describeRemote = (
  { api, id, attempt = null, signal }: Pulling,
  { path }: Way,
  { size }: WireFile,
): RemoteFile => ({
  api,
  address: `/v1/jobs/${id}/files/${encodePath(path)}${attempt === null ? "" : `?attempt=${attempt}`}`,
  isEmpty: size === 0,
  signal,
});

const watch = (sink: Sink, { onBytes }: Pulling): Sink => ({
  ...sink,
  begin: (tag) => {
    onBytes(-sink.size());
    sink.begin(tag);
  },
  write: (bytes, at) => {
    const before = sink.size();
    const goesOn = sink.write(bytes, at);
    onBytes(sink.size() - before);
    return goesOn;
  },
});

const read = async (
  pulling: Pulling,
  way: Way,
  file: WireFile,
  sink: Sink,
): Promise<Result<boolean | string, Failure>> => {
  const answer = await readFileInto(describeRemote(pulling, way, file), watch(sink, pulling));
  if (answer.ok || concernsAll(answer.error)) return answer;
  return ok(escapeText(phraseFailure(answer.error)));
};

const openHere = ({ top }: Pulling, { parents, name }: Way): Result<number, Problem> =>
  withFolderAt(top, parents, (folder) => openPlace({ folder, name }));

const compare = async (pulling: Pulling, way: Way, file: WireFile): Outcome => {
  const opened = openHere(pulling, way);
  if (!opened.ok) return failWith(opened.error.message);
  const comparison = createComparison(opened.value);
  try {
    const same = await read(pulling, way, file, comparison);
    if (!same.ok) return same;
    if (typeof same.value === "string") return failWith(same.value);
    return ok(same.value ? THERE : DIFFERS);
  } finally {
    comparison.close();
  }
};

const judgeTaken = (pulling: Pulling, way: Way, part: PartFile): Result<Pulled, Failure> => {
  const opened = openHere(pulling, way);
  if (!opened.ok) return failWith(opened.error.message);
  try {
    return ok(part.isLike(opened.value) ? THERE : DIFFERS);
  } finally {
    closeSync(opened.value);
  }
};

const place = (pulling: Pulling, way: Way, part: PartFile): Result<Pulled, Failure> => {
  const { top, isForced } = pulling;
  const placed = withFolderAt(top, way.parents, (folder) => {
    const draft = part.locate();
    return draft === null ? null : putFile(draft, { folder, name: way.name }, isForced);
  });
  if (!placed.ok) return failWith(placed.error.message);
  if (placed.value === null) return fail(`${ANOTHER_WRITES}, ${pulling.shown}: repeat this once it has ended`);
  return placed.value ? ok(FETCHED) : judgeTaken(pulling, way, part);
};

const isSettled = ({ kind }: Pulled): boolean => kind === "there" || kind === "differs";

const fetchInto = async (pulling: Pulling, way: Way, file: WireFile): Outcome => {
  const part = openPart(pulling.top, way.path, pulling.parts);
  pulling.onBytes(part.size());
  try {
    const whole = await read(pulling, way, file, part);
    if (!whole.ok) return whole;
    if (typeof whole.value === "string") return failWith(whole.value);
    part.seal(file.mtime);
    const placed = place(pulling, way, part);
    if (placed.ok && isSettled(placed.value)) part.remove();
    return placed;
  } finally {
    part.close();
  }
};

const makeLink = ({ top, isForced }: Pulling, { parents, name }: Way, file: WireFile): Result<Pulled, Failure> => {
  const target = readByteTarget(file);
  if (target === null) return failWith("where it leads can't be written");
  const made = withFolderAt(top, parents, (folder) => {
    if (putLink(target, { folder, name }, isForced)) return FETCHED;
    return judgePlace({ folder, name }, file) === "same" ? THERE : DIFFERS;
  });
  return made.ok ? made : failWith(made.error.message);
};

const bring = async (pulling: Pulling, way: Way, file: WireFile): Outcome =>
  file.type === "link" ? makeLink(pulling, way, file) : fetchInto(pulling, way, file);

const decide = async (pulling: Pulling, way: Way, file: WireFile, standing: Standing): Outcome => {
  if (standing === "same") return ok(THERE);
  if (standing === "folder") return failWith("a folder is in its place here");
  if (standing === "free" || pulling.isForced) return bring(pulling, way, file);
  if (standing === "link") return failWith("a link is in its place here, and nothing is written through it");
  return standing === "doubtful" ? compare(pulling, way, file) : ok(DIFFERS);
};

/** One file or link of a job, to its place below the folder, and through no link there. */
export const pullFile = async (pulling: Pulling, file: WireFile): Outcome => {
  const way = findWay(file);
  if (!way.ok) return failWith(way.error.message);
  const { parents, name } = way.value;
  try {
    const standing = withFolderAt(pulling.top, parents, (folder) => judgePlace({ folder, name }, file));
    if (!standing.ok) return failWith(standing.error.message);
    return await decide(pulling, way.value, file, standing.value);
  } catch (error) {
    return describeTrouble(error, pulling.shown);
  }
};
