import type { GpuFigures, UseCourse, UseSpan } from "../../../core/running/use-course.ts";

const MAGIC = "NXU1";
const COUNT_AT = 4;
const INDEXES_AT = 6;
const INDEX_BYTES = 2;
const LOOKS_AT = 4;
const CHECK_AT = 6;
const FIGURES_AT = 8;
const FIGURES_BYTES = 6;
const MOST_UINT8 = 0xff;
const MOST_UINT16 = 0xffff;
const MOST_UINT32 = 0xffff_ffff;
const MULTIPLIER = 257;
const PRIME = 65_521;
const PARTS_OF_A_PERCENT = 2;
const MIB_PER_UNIT = 8;

/** In bytes. */
export const measureRecord = (gpus: number): number => FIGURES_AT + FIGURES_BYTES * gpus;

export const writeHeader = (gpuIdxs: readonly number[]): Buffer => {
  const header = Buffer.alloc(INDEXES_AT + INDEX_BYTES * gpuIdxs.length);
  header.write(MAGIC, "latin1");
  header.writeUInt16LE(gpuIdxs.length, COUNT_AT);
  for (const [place, index] of gpuIdxs.entries()) header.writeUInt16LE(index, INDEXES_AT + INDEX_BYTES * place);
  return header;
};

const toUnits = (value: number | null, perUnit: number, unknown: number): number =>
  value === null ? unknown : Math.min(unknown - 1, Math.max(0, Math.round(value * perUnit)));

const toValue = (units: number, perUnit: number, unknown: number): number | null =>
  units === unknown ? null : units / perUnit;

const writeFigures = (
  record: Buffer,
  at: number,
  { meanPercent, peakPercent, memoryMib, powerW }: GpuFigures,
): void => {
  record.writeUInt8(toUnits(meanPercent, PARTS_OF_A_PERCENT, MOST_UINT8), at);
  record.writeUInt8(toUnits(peakPercent, PARTS_OF_A_PERCENT, MOST_UINT8), at + 1);
  record.writeUInt16LE(toUnits(memoryMib, 1 / MIB_PER_UNIT, MOST_UINT16), at + 2);
  record.writeUInt16LE(toUnits(powerW, 1, MOST_UINT16), at + 4);
};

const readFigures = (record: Buffer, at: number): GpuFigures => ({
  meanPercent: toValue(record.readUInt8(at), PARTS_OF_A_PERCENT, MOST_UINT8),
  peakPercent: toValue(record.readUInt8(at + 1), PARTS_OF_A_PERCENT, MOST_UINT8),
  memoryMib: toValue(record.readUInt16LE(at + 2), 1 / MIB_PER_UNIT, MOST_UINT16),
  powerW: toValue(record.readUInt16LE(at + 4), 1, MOST_UINT16),
});

const isOfCheck = (place: number): boolean => place >= CHECK_AT && place < FIGURES_AT;

const sumUp = (record: Buffer): number =>
  record.reduce((sum, byte, place) => (isOfCheck(place) ? sum : (sum * MULTIPLIER + byte + 1) % PRIME), 0);

/** In half percents, eight MiB and watts. */
export const writeRecord = ({ ageS, looks, gpus }: UseSpan): Buffer => {
  const record = Buffer.alloc(measureRecord(gpus.length));
  record.writeUInt32LE(Math.min(MOST_UINT32, Math.max(0, Math.round(ageS))));
  record.writeUInt16LE(Math.min(MOST_UINT16, looks), LOOKS_AT);
  for (const [place, figures] of gpus.entries()) writeFigures(record, FIGURES_AT + FIGURES_BYTES * place, figures);
  record.writeUInt16LE(sumUp(record), CHECK_AT);
  return record;
};

const readRecord = (record: Buffer): UseSpan | null => {
  const looks = record.readUInt16LE(LOOKS_AT);
  if (looks === 0 || record.readUInt16LE(CHECK_AT) !== sumUp(record)) return null;
  const count = (record.length - FIGURES_AT) / FIGURES_BYTES;
  const gpus = Array.from({ length: count }, (_, place) => readFigures(record, FIGURES_AT + FIGURES_BYTES * place));
  return { ageS: record.readUInt32LE(), looks, gpus };
};

const readIndexes = (bytes: Buffer): readonly number[] | null => {
  if (bytes.length < INDEXES_AT || bytes.toString("latin1", 0, COUNT_AT) !== MAGIC) return null;
  const count = bytes.readUInt16LE(COUNT_AT);
  if (count === 0 || bytes.length < INDEXES_AT + INDEX_BYTES * count) return null;
  return Array.from({ length: count }, (_, place) => bytes.readUInt16LE(INDEXES_AT + INDEX_BYTES * place));
};

const keepOrder = (spans: readonly UseSpan[]): readonly UseSpan[] => {
  let lastS = 0;
  return spans.filter(({ ageS }) => {
    const isLater = ageS >= lastS;
    if (isLater) lastS = ageS;
    return isLater;
  });
};

/** What of a file can be read, in the order of its times; whatever is torn or damaged is left out. */
export const readRecords = (bytes: Buffer): UseCourse => {
  const gpuIdxs = readIndexes(bytes);
  if (gpuIdxs === null) return { gpuIdxs: [], spans: [] };
  const [start, size] = [INDEXES_AT + INDEX_BYTES * gpuIdxs.length, measureRecord(gpuIdxs.length)];
  const count = Math.floor((bytes.length - start) / size);
  const records = Array.from({ length: count }, (_, place) =>
    readRecord(bytes.subarray(start + place * size, start + (place + 1) * size)),
  );
  return { gpuIdxs, spans: keepOrder(records.filter((record) => record !== null)) };
};
