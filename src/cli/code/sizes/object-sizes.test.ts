import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { openBench } from "../../../../tests/support/git-bench.ts";
import { findSizes } from "./object-sizes.ts";

const MANY = 600;

let folder: string;
let own: string | undefined;
let asked: (readonly string[])[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-sizes-"));
  own = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = folder;
  asked = [];
});

afterEach(() => {
  if (own === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = own;
  rmSync(folder, { recursive: true, force: true });
});

const nameObjects = (count: number, first = 0): readonly string[] =>
  Array.from({ length: count }, (_nothing, index) => (first + index).toString(16).padStart(40, "0"));

const sizeOf = (object: string): number => Number.parseInt(object, 16) * 3;

const find = (objects: readonly string[], answer = sizeOf): Promise<readonly number[]> =>
  findSizes(objects, async (some) => {
    asked.push(some);
    return some.map(answer);
  });

const locate = (): string => join(folder, "nexus", "object-sizes");

describe("sizes of git's objects", () => {
  test("are asked for once, and then only those of new objects", async () => {
    const [first, later] = [nameObjects(MANY), nameObjects(MANY, 10)];
    expect(await find(first)).toEqual(first.map(sizeOf));
    expect(await find(first)).toEqual(first.map(sizeOf));
    expect(await find(later.toReversed())).toEqual(later.map(sizeOf).toReversed());
    expect(asked).toEqual([first, nameObjects(10, MANY).toReversed()]);
  });

  test("are kept for their owner alone, of the last repository only, beside nothing else", async () => {
    await find(nameObjects(MANY));
    await find(nameObjects(MANY, MANY));
    expect(statSync(locate()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "nexus"))).toEqual(["object-sizes"]);
    await find(nameObjects(MANY));
    expect(asked).toHaveLength(3);
  });

  test("are asked for again where an object was not here", async () => {
    const objects = nameObjects(MANY);
    const isLost = (object: string): boolean => object === objects[7];
    const found = await find(objects, (object) => (isLost(object) ? Number.NaN : sizeOf(object)));
    expect(found[7]).toBeNaN();
    expect(await find(objects)).toEqual(objects.map(sizeOf));
    expect(asked[1]).toEqual(objects.filter(isLost));
  });

  test("are not kept where git did not say them all", async () => {
    const objects = nameObjects(MANY);
    expect(await findSizes(objects, async () => [])).toEqual(objects.map(() => Number.NaN));
    expect(await find(objects)).toEqual(objects.map(sizeOf));
    expect(asked).toEqual([objects]);
  });

  test("are not kept where they are few", async () => {
    await find(nameObjects(20));
    await find(nameObjects(20));
    expect([asked.length, existsSync(locate())]).toEqual([2, false]);
  });

  test("leave no draft where they can't be put in place", async () => {
    mkdirSync(locate(), { recursive: true });
    expect(await find(nameObjects(MANY))).toEqual(nameObjects(MANY).map(sizeOf));
    expect(readdirSync(join(folder, "nexus"))).toEqual(["object-sizes"]);
  });

  test("are answered where nothing can be kept", async () => {
    process.env["XDG_CACHE_HOME"] = "/dev/null";
    expect(await find(nameObjects(MANY))).toEqual(nameObjects(MANY).map(sizeOf));
  });

  test("are asked for anew where what was kept is damaged, wherever it is", async () => {
    const objects = nameObjects(MANY);
    await find(objects);
    const whole = readFileSync(locate());
    const places = fc.record({
      place: fc.nat(whole.length - 1),
      by: fc.integer({ min: 1, max: 255 }),
      isCut: fc.boolean(),
    });
    const holds = fc.asyncProperty(places, async ({ place, by, isCut }) => {
      const damaged = Buffer.from(isCut ? whole.subarray(0, place) : whole);
      if (!isCut) damaged[place] = (damaged[place] ?? 0) ^ by;
      writeFileSync(locate(), damaged);
      asked = [];
      expect(await find(objects)).toEqual(objects.map(sizeOf));
      expect(asked).toEqual([objects]);
    });
    await fc.assert(holds, { numRuns: 50 });
  });
});

test("a file that git converted travels byte for byte also where the sizes of all objects are kept", async () => {
  const bench = openBench(folder);
  bench.git("config", "core.autocrlf", "true");
  for (const name of nameObjects(MANY)) bench.write(name, `${name}\r\n`);
  bench.commitAll();
  bench.git("config", "--unset", "core.autocrlf");
  for (const _round of [1, 2]) {
    const unpacked = await bench.unpack(await bench.snap());
    const sent = nameObjects(MANY).map((name) => readFileSync(join(unpacked, name), "utf8"));
    expect(sent).toEqual(nameObjects(MANY).map((name) => `${name}\r\n`));
  }
  expect(existsSync(locate())).toBe(true);
});
