import { beforeEach, expect, onTestFinished, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { JobId } from "../../../core/jobs/job.ts";
import type { GpuFigures, UseCourses, UseSpan } from "../../../core/running/use-course.ts";
import { createUseFiles } from "./use-files.ts";

const ID = "abc123" as JobId;
const MOST_BYTES = 40_000;

let folder: string;
let path: string;
let files: UseCourses;

const begin = (): void => {
  folder = mkdtempSync(join(tmpdir(), "nexus-use-"));
  mkdirSync(join(folder, "jobs", ID), { recursive: true });
  path = join(folder, "jobs", ID, "gpu_use");
  files = createUseFiles(folder);
};

beforeEach(() => {
  begin();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const figures = (percent: number): GpuFigures => ({
  meanPercent: percent,
  peakPercent: percent,
  memoryMib: 8 * percent,
  powerW: percent,
});

const lookAt = (ageS: number, percent: number, gpus = 1): UseSpan => ({
  ageS,
  looks: 1,
  gpus: Array.from({ length: gpus }, () => figures(percent)),
});

const listIndexes = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const append = (look: UseSpan): void => {
  expect(files.append(ID, listIndexes(look.gpus.length), look).ok).toBe(true);
};

const readAges = async (): Promise<readonly number[]> => (await files.read(ID, 1)).spans.map(({ ageS }) => ageS);

test("what was looked at is read as it was, to half a percent, eight MiB and a watt", async () => {
  const unknown = { meanPercent: null, peakPercent: null, memoryMib: null, powerW: null };
  const known = { meanPercent: 99.5, peakPercent: 100, memoryMib: 81_920, powerW: 412 };
  expect(files.append(ID, [3, 7], { ageS: 12, looks: 1, gpus: [known, unknown] }).ok).toBe(true);
  expect(await files.read(ID, 1)).toEqual({
    gpuIdxs: [3, 7],
    spans: [{ ageS: 12, looks: 1, gpus: [known, unknown] }],
  });
});

test("a job of which nothing was kept has an empty course", async () => {
  expect(await files.read(ID, 1)).toEqual({ gpuIdxs: [], spans: [] });
  expect(await files.read("gone" as JobId, 2)).toEqual({ gpuIdxs: [], spans: [] });
  expect(files.append("gone" as JobId, [0], lookAt(1, 2)).ok).toBe(false);
});

test("a server that begins anew goes on with it", async () => {
  append(lookAt(10, 1));
  files = createUseFiles(folder);
  append(lookAt(20, 2));
  expect(await readAges()).toEqual([10, 20]);
});

test("whatever its length and the number of its GPUs, it is never above 40 kB, and mean, peak and order stay", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 2, 8, 64, 300),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 2000 }),
      async (gpus, count, stepS) => {
        rmSync(folder, { recursive: true });
        begin();
        const percents = Array.from(
          { length: gpus > 8 ? Math.min(count, 300) : count },
          (_, place) => (place * 37) % 101,
        );
        for (const [place, percent] of percents.entries()) append(lookAt((place + 1) * stepS, percent, gpus));
        expect(statSync(path).size).toBeLessThanOrEqual(MOST_BYTES);
        const { spans } = await files.read(ID, 1);
        expect(spans.reduce((sum, { looks }) => sum + looks, 0)).toBe(percents.length);
        expect(Math.max(...spans.map((one) => one.gpus[0]?.peakPercent ?? 0))).toBe(Math.max(...percents));
        const sum = spans.reduce((total, { looks, gpus: [first] }) => total + looks * (first?.meanPercent ?? 0), 0);
        expect(Math.abs(sum / percents.length - percents.reduce((a, b) => a + b) / percents.length)).toBeLessThan(1.5);
        const ages = spans.map(({ ageS }) => ageS);
        expect(ages).toEqual(ages.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 6, examples: [[8, 1000, 10]] },
  );
});

test("wherever it is torn, all before that is read, and the next look is kept", async () => {
  for (let place = 1; place <= 20; place += 1) append(lookAt(10 * place, place, 2));
  const whole = readFileSync(path);
  const record = (whole.length - 10) / 20;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 10, max: whole.length }),
      fc.uint8Array({ maxLength: 60 }),
      async (cut, dirt) => {
        writeFileSync(path, whole.subarray(0, cut));
        appendFileSync(path, dirt);
        const kept = Math.floor((cut - 10) / record);
        const isBegun = (await readAges()).slice(0, kept);
        expect(isBegun).toEqual(Array.from({ length: kept }, (_, index) => 10 * (index + 1)));
        truncateSync(path, cut);
        append(lookAt(1000, 1, 2));
        expect((await readAges()).slice(kept)).toEqual([1000]);
      },
    ),
    { numRuns: 50 },
  );
});

test("zeros that a crash leaves in place of looks are left out", async () => {
  append(lookAt(10, 1));
  appendFileSync(path, Buffer.alloc(14 * 3));
  append(lookAt(20, 2));
  expect(await readAges()).toEqual([10, 20]);
});

test("one that is no such file, or of other GPUs, is begun anew", async () => {
  writeFileSync(path, "not of this kind, and long");
  expect(await readAges()).toEqual([]);
  append(lookAt(10, 1));
  expect(statSync(path).size).toBe(22);
  expect(await readAges()).toEqual([10]);
  expect(files.append(ID, [5], lookAt(20, 1)).ok).toBe(true);
  expect(await files.read(ID, 1)).toMatchObject({ gpuIdxs: [5], spans: [{ ageS: 20 }] });
});

test("a link that a job puts in its place is not written through", async () => {
  const other = join(folder, "other");
  writeFileSync(other, "mine");
  symlinkSync(other, path);
  expect(files.append(ID, [0], lookAt(10, 1)).ok).toBe(false);
  expect([readFileSync(other, "utf8"), await readAges()]).toEqual(["mine", []]);
});
