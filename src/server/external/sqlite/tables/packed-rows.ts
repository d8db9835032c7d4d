import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";

export const ROW_BYTES = 512 * 1024;

const compress = promisify(zstdCompress);

/** Each row is a Zstandard frame of its own, with a checksum (RFC 8878). */
export const packRow = (data: Uint8Array): Promise<Uint8Array> =>
  compress(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** Throws where the row is damaged. */
export const unpackRow = (packed: Uint8Array): Uint8Array => zstdDecompressSync(packed, { maxOutputLength: ROW_BYTES });
