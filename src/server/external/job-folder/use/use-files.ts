import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { describeError } from "../../../../base/describe-error.ts";
import { err, ok } from "../../../../base/result.ts";
import { openRegular } from "../../../../tools/open-regular.ts";
import { replaceFile } from "../../../../tools/replace-file.ts";
import { coarsen, type UseCourse, type UseCourses, type UseSpan } from "../../../core/running/use-course.ts";
import { locateAttempt } from "../attempt-files.ts";
import { locateJobFiles } from "../job-paths.ts";
import { measureRecord, readRecords, writeHeader, writeRecord } from "./use-records.ts";

const MOST_BYTES = 40_000;
const BYTES_ONCE_COARSER = 35_000;
const MOST_GPUS = 256;
const PRIVATE = 0o600;
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const NONE: UseCourse = { gpuIdxs: [], spans: [] };

type Added = Readonly<{ gpuIdxs: readonly number[]; begin: Buffer; look: UseSpan }>;

const readBytes = (file: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
};

const beginAnew = (file: number, header: Buffer, record: Buffer): void => {
  ftruncateSync(file, 0);
  writeSync(file, Buffer.concat([header, record]), 0, header.length + record.length, 0);
};

const writeCoarser = (path: string, { gpuIdxs, spans }: UseCourse): void => {
  const header = writeHeader(gpuIdxs);
  const most = Math.floor((BYTES_ONCE_COARSER - header.length) / measureRecord(gpuIdxs.length));
  replaceFile(path, Buffer.concat([header, ...coarsen(spans, most).map(writeRecord)]), PRIVATE);
};

const goOn = (path: string, file: number, { gpuIdxs, look, begin }: Added): void => {
  const record = writeRecord(look);
  const { size } = fstatSync(file);
  const end = size - ((size - begin.length) % record.length);
  if (end + record.length <= MOST_BYTES) writeSync(file, record, 0, record.length, end);
  else writeCoarser(path, { gpuIdxs, spans: [...readRecords(readBytes(file, MOST_BYTES)).spans, look] });
};

const add = (path: string, file: number, added: Added): void => {
  const { begin, look } = added;
  if (readBytes(file, begin.length).equals(begin)) goOn(path, file, added);
  else beginAnew(file, begin, writeRecord(look));
};

const append = (path: string, allIdxs: readonly number[], look: UseSpan): void => {
  const gpuIdxs = allIdxs.slice(0, MOST_GPUS);
  const added = { gpuIdxs, begin: writeHeader(gpuIdxs), look: { ...look, gpus: look.gpus.slice(0, MOST_GPUS) } };
  const file = openSync(path, FLAGS, PRIVATE);
  try {
    if (fstatSync(file).isFile()) add(path, file, added);
  } finally {
    closeSync(file);
  }
};

const read = async (path: string): Promise<UseCourse> => {
  const file = await openRegular(path);
  if (file === null) return NONE;
  try {
    const bytes = Buffer.alloc(MOST_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return readRecords(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
};

/**
 * A file in the job's folder to which each look is added. Once it would be larger than 40 kB it is put in the place of itself with longer spans. What a
 * crash tears of it is left out when it is read, and written over by the next look.
 */
export const createUseFiles = (serverDir: string): UseCourses => ({
  append: (id, gpuIdxs, look) => {
    try {
      return ok(append(locateJobFiles(serverDir, id).gpuUse, gpuIdxs, look));
    } catch (error) {
      return err({ message: describeError(error) });
    }
  },
  read: (id, attempt) => read(locateAttempt(locateJobFiles(serverDir, id), attempt).gpuUse),
});
