import { expect, test } from "bun:test";
import { isUtf8 } from "node:buffer";
import { resolve } from "node:path";
import fc from "fast-check";
import { encodeBytes, encodePath, readBytePath, readByteTarget, showPath, splitPath } from "./byte-path.ts";

const bytes = fc.uint8Array({ minLength: 0, maxLength: 40 });
const hostile = fc
  .array(fc.constantFrom(..."./\0%2e\\~ \n\u00ff"), { maxLength: 12 })
  .map((characters) => characters.join(""));
const path = fc.oneof(
  hostile,
  bytes.map((one) => Buffer.from(one).toString("latin1")),
);

test("whatever bytes a path has: taken apart, it never leads out of the folder", () => {
  fc.assert(
    fc.property(path, (one) => {
      const names = splitPath(one);
      if (names === null) return;
      expect(names.join("/")).toBe(one);
      expect(resolve("/top/folder", one)).toStartWith("/top/folder/");
      for (const name of names) expect(["", ".", ".."]).not.toContain(name);
      expect(one).not.toContain("\0");
    }),
  );
});

test.each(["", ".", "..", "/etc/passwd", "../x", "a/../x", "a//b", "a/", "a/.", "a\0b"])("%j is no path", (one) => {
  expect(splitPath(one)).toBeNull();
});

test("whatever bytes a path has: as an address it names just them, and stays below what it follows", () => {
  fc.assert(
    fc.property(path, (one) => {
      if (splitPath(one) === null) return;
      const { pathname, search, hash } = new URL(`http://server/v1/jobs/k3f9ab/files/${encodePath(one)}`);
      const end = pathname.slice("/v1/jobs/k3f9ab/files/".length);
      const read = end.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
      expect([read, search, hash]).toEqual([one, "", ""]);
    }),
  );
});

test("whatever bytes a path has, on the wire it is the same", () => {
  fc.assert(
    fc.property(bytes, (one) => {
      const raw = Buffer.from(one).toString("base64");
      expect(encodeBytes(readBytePath({ path: "?", raw }))).toEqual(Buffer.from(one));
    }),
  );
  expect(encodeBytes(readBytePath({ path: "é", raw: null })).toString("utf8")).toBe("é");
});

test("whatever bytes a path has, it is shown on one line without control characters", () => {
  fc.assert(fc.property(path, (one) => expect(showPath(one)).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u)));
});

test("where a link leads is read byte for byte, and what can't be a target is none", () => {
  fc.assert(
    fc.property(bytes, (one) => {
      const target = Buffer.from(one);
      const raw = isUtf8(target) ? null : target.toString("base64");
      const isTarget = target.length > 0 && !target.includes(0);
      const read = readByteTarget({ target: target.toString("utf8"), raw_target: raw });
      expect(read === null ? null : encodeBytes(read)).toEqual(isTarget ? target : null);
    }),
  );
});
