import { expect, test } from "bun:test";
import { choosePlaces } from "./places.ts";

const OWN = ["127.0.0.1", "::1", "192.0.2.2"];

test.each<readonly [string, readonly string[], boolean]>([
  ["127.0.0.1", ["127.0.0.1", "::1"], false],
  ["::1", ["::1", "127.0.0.1"], false],
  ["localhost", ["127.0.0.1", "::1"], false],
  ["127.0.0.5", ["127.0.0.5"], false],
  ["192.0.2.2", ["192.0.2.2"], false],
  ["atlas", ["atlas"], false],
  ["0.0.0.0", ["0.0.0.0", "127.0.0.1", "::1"], true],
  ["::", ["::", "127.0.0.1", "::1"], true],
])("a server at %s listens on %p", (host, addresses, areNested) => {
  expect(choosePlaces(host, OWN)).toEqual({ addresses, areNested });
});

test("an address that the machine does not have is left out, unless it was asked for", () => {
  expect(choosePlaces("127.0.0.1", ["127.0.0.1"]).addresses).toEqual(["127.0.0.1"]);
  expect(choosePlaces("::1", ["127.0.0.1"]).addresses).toEqual(["::1", "127.0.0.1"]);
  expect(choosePlaces("localhost", []).addresses).toEqual(["localhost"]);
});
