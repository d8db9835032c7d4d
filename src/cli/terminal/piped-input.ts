import { fstatSync, readSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { MAX_INPUT_BYTES } from "../../wire/limits.ts";
import { streamInput } from "./light-files.ts";
import { hint } from "./output.ts";

const STANDARD_INPUT = 0;
const PIECE_BYTES = 64 * 1024;
const SILENCE_MS = 1000;
const MIB = 1024 * 1024;

type Input = Uint8Array<ArrayBuffer>;
type Reader = Readonly<{
  read: () => Promise<Readonly<{ value?: Uint8Array | undefined }>>;
  cancel: () => Promise<void>;
}>;

const FILE: Reader = {
  read: async () => {
    const piece = new Uint8Array(PIECE_BYTES);
    const bytes = readSync(STANDARD_INPUT, piece, 0, PIECE_BYTES, null);
    return bytes === 0 ? {} : { value: piece.subarray(0, bytes) };
  },
  cancel: async () => undefined,
};

const readAll = async (reader: Reader): Promise<Input> => {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= MAX_INPUT_BYTES) {
    const { value } = await reader.read();
    if (value === undefined) return Buffer.concat(pieces);
    pieces.push(value);
    bytes += value.byteLength;
  }
  await reader.cancel();
  return Buffer.concat(pieces);
};

const sayWaiting = (): void =>
  hint("Reading standard input, which goes with the job: end it with Ctrl-D, or do without by < /dev/null");

const noticeSilence = (reader: Reader, onFirst: () => void): Reader => {
  let onSilence = onFirst;
  const notice = (): void => {
    onSilence();
    onSilence = () => undefined;
  };
  const read = async () => {
    const timer = setTimeout(notice, SILENCE_MS);
    const piece = await reader.read();
    clearTimeout(timer);
    if (onSilence === onFirst) onSilence = sayWaiting;
    return piece;
  };
  return { ...reader, read };
};

const takeInput = async (): Promise<Input> => {
  const found = fstatSync(STANDARD_INPUT);
  if (found.isFile()) return readAll(FILE);
  if (!found.isFIFO() && !found.isSocket()) return new Uint8Array();
  const stream = streamInput().getReader();
  const reader: Reader = { read: () => stream.read(), cancel: () => stream.cancel() };
  return readAll(noticeSilence(reader, found.isFIFO() ? sayWaiting : () => void reader.cancel()));
};

/** What standard input holds for a job, to its end; null where there is nothing, as at a terminal. A socket that says nothing for a second counts as nothing: a shell over SSH has one. */
export const readPipedInput = async (): Promise<Result<Input | null, Failure>> => {
  const input = await takeInput();
  if (input.byteLength > MAX_INPUT_BYTES)
    return failUsage(
      `standard input is larger than ${MAX_INPUT_BYTES / MIB} MiB, more than can go with a job: write it to a file that the job can read`,
    );
  if (input.byteLength === 0) return ok(null);
  hint(`${input.byteLength} bytes of standard input go with the job`);
  return ok(input);
};
