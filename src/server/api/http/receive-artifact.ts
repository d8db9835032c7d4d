import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { MAX_ARTIFACT_BYTES } from "../../../wire/limits.ts";
import type { ArtifactId } from "../../core/jobs/job.ts";
import {
  createLimitReached,
  createRefusal,
  createUnavailable,
  type Refusal,
  type Unavailable,
} from "../../core/refusal.ts";
import type { ArtifactWriter, ShareExceeded } from "../../core/store.ts";
import { type BodyDeadline, startBodyDeadline } from "./body-deadline.ts";
import type { RequestBody } from "./request-body.ts";

type Incoming = Readonly<{ bytes: ReadableStream<Uint8Array>; deadline: BodyDeadline }>;
type Reader = Readonly<{
  read: () => Promise<Readonly<{ done: boolean; value?: Uint8Array | undefined }>>;
  cancel: () => Promise<void>;
}>;

const GIB = 1024 ** 3;

const empty = createRefusal("INVALID_REQUEST", "The artifact is empty");
const hungUp = createRefusal("INVALID_REQUEST", "The artifact ended too early");
const tooLarge = createRefusal("INVALID_REQUEST", `The artifact is larger than ${MAX_ARTIFACT_BYTES} bytes`);

const refuseShare = ({ askedBytes, maxBytes }: ShareExceeded): Refusal => {
  const max = maxBytes / GIB;
  const message = `Your artifacts that wait for their jobs to start may take ${max} GiB (max_waiting_gib), and this one is too much: wait until some have started, or take some out with nx remove`;
  return createLimitReached(message, { limit: "max_waiting_gib", max, asked: askedBytes / GIB });
};

const refuseWriting = (error: Unavailable | ShareExceeded): Refusal =>
  error.kind === "exceeded" ? refuseShare(error) : createUnavailable(error);

const isTooLarge = (headers: Headers): boolean => Number(headers.get("content-length")) > MAX_ARTIFACT_BYTES;

const readChunk = async (
  reader: Reader,
  deadline: BodyDeadline,
  size: number,
): Promise<Result<Uint8Array | null, Refusal>> => {
  try {
    const chunk = await deadline.wait(reader.read(), size);
    return chunk.ok ? ok(chunk.value.value ?? null) : chunk;
  } catch {
    return err(hungUp);
  }
};

const appendChunk = async (
  writer: ArtifactWriter,
  before: number,
  chunk: Uint8Array,
): Promise<Result<number, Refusal>> => {
  const size = before + chunk.byteLength;
  if (size > MAX_ARTIFACT_BYTES) return err(tooLarge);
  const appended = await writer.append(chunk);
  return appended.ok ? ok(size) : err(refuseWriting(appended.error));
};

const appendAll = async (
  reader: Reader,
  deadline: BodyDeadline,
  writer: ArtifactWriter,
): Promise<Result<void, Refusal>> => {
  let size = 0;
  for (;;) {
    const chunk = await readChunk(reader, deadline, size);
    if (!chunk.ok) return chunk;
    if (chunk.value === null) return size === 0 ? err(empty) : ok(undefined);
    const appended = await appendChunk(writer, size, chunk.value);
    if (!appended.ok) return appended;
    size = appended.value;
  }
};

const giveUp = async (reader: Reader, writer: ArtifactWriter): Promise<void> => {
  reader.cancel().catch(() => undefined);
  await writer.abort();
};

const finish = async (writer: ArtifactWriter): Promise<Result<ArtifactId, Refusal>> => {
  const finished = await writer.finish();
  return finished.ok ? finished : err(refuseWriting(finished.error));
};

export const artifactBody: RequestBody<Incoming> = {
  content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } },
  read: async ({ body, headers }, timeoutS) => {
    if (body === null) return err(empty);
    if (isTooLarge(headers)) return err(tooLarge);
    return ok({ bytes: body, deadline: startBodyDeadline(timeoutS) });
  },
};

export const receiveArtifact = async (
  { bytes, deadline }: Incoming,
  writer: ArtifactWriter,
): Promise<Result<ArtifactId, Refusal>> => {
  const reader = bytes.getReader();
  try {
    const appended = await appendAll(reader, deadline, writer);
    if (appended.ok) return await finish(writer);
    await giveUp(reader, writer);
    return appended;
  } catch (error) {
    await giveUp(reader, writer);
    throw error;
  }
};
