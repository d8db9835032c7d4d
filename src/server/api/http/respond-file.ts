import { createRefusal } from "../../core/refusal.ts";
import type { ReadableFile } from "../../core/running/outputs.ts";
import { readByteRange } from "./byte-range.ts";
import { respondRefusal } from "./error-response.ts";

/** What a job wrote may be anything: no browser is to show or run it. */
export const FILE_HEADERS = {
  "Content-Type": "application/octet-stream",
  "Content-Security-Policy": "sandbox",
  "Cache-Control": "no-store",
} as const;

const SKIP_HOLES = "skip-holes";

type Asked = Readonly<{
  isHead: boolean;
  range: string | undefined;
  ifRange: string | undefined;
  prefer: string | undefined;
  disposition: string;
}>;

const findPart = ({ range, ifRange }: Asked, tag: string, size: number): ReturnType<typeof readByteRange> =>
  ifRange === undefined || ifRange === tag ? readByteRange(range, size) : null;

const isAskedWithoutHoles = ({ prefer }: Asked): boolean => prefer?.trim().toLowerCase() === SKIP_HOLES;

/** The file, or what of it is asked for. */
export const respondFile = async (file: ReadableFile, asked: Asked): Promise<Response> => {
  const { size, mtime } = file;
  const tag = `"${file.tag}"`;
  const part = findPart(asked, tag, size);
  if (part === "none") {
    const refusal = createRefusal("RANGE_NOT_SATISFIABLE", `The file has ${size} bytes`);
    return respondRefusal(refusal, { "Content-Range": `bytes */${size}` });
  }
  const skipsHoles = part !== null && isAskedWithoutHoles(asked);
  const { from, to } = skipsHoles ? await file.findData(part) : (part ?? { from: 0, to: size });
  const headers = {
    ...FILE_HEADERS,
    ...{ ETag: tag, "Accept-Ranges": "bytes", "Last-Modified": new Date(mtime * 1000).toUTCString() },
    ...{ "Content-Disposition": asked.disposition, "Content-Length": String(to - from) },
    ...(part === null ? {} : { "Content-Range": `bytes ${from}-${to - 1}/${size}` }),
    ...(skipsHoles ? { "Preference-Applied": SKIP_HOLES } : {}),
  };
  const status = part === null ? 200 : 206;
  return new Response(asked.isHead ? null : file.read(from, to), { status, headers });
};
