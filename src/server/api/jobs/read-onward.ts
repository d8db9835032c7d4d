import { endsWithLogMark, LOG_MARK_LENGTH } from "../../../wire/log-cut.ts";
import type { Logs } from "../../../wire/node.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { LogReads, LogStart } from "../../core/running/executor.ts";

type Piece = Readonly<{ bytes: Uint8Array; end: number }>;

const MAX_BYTES = 10 * 1024 * 1024;

const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

const isNow = (): boolean => true;

const readPiece = async (logs: LogReads, id: JobId, start: LogStart): Promise<Piece> => {
  const { position, bytes } = await logs.resume(id, start, isNow);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= MAX_BYTES) break;
  }
  return { bytes: Buffer.concat(chunks), end: position + size };
};

/** What is there now, across what was left out of it, and the byte at which the next reading goes on. */
export const readOnward = async (logs: LogReads, id: JobId, start: LogStart): Promise<Logs> => {
  const piece = await readPiece(logs, id, start);
  const data = decode(piece.bytes);
  if (!endsWithLogMark(data)) return { data, next: piece.end };
  const place = { from: piece.end - LOG_MARK_LENGTH, isMarked: true };
  const rest = await readPiece(logs, id, { lastLines: null, place });
  return { data: data + decode(rest.bytes), next: rest.end };
};
