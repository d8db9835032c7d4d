import { expect, test } from "bun:test";
import { describeVersion, refuseVersion } from "./server-version.ts";

test("of the same version there is nothing to tell", () => {
  expect([describeVersion("1.2.3", "1.2.3"), refuseVersion("1.2.3", "1.2.3")]).toEqual([null, null]);
});

test.each([
  ["1.3.0", "1.2.9", "this client"],
  ["1.10.0", "1.9.0", "this client"],
  ["1.2.0", "1.2.1", "the server"],
  ["1.2.0-rc.1", "1.2.0", "the server"],
  ["1.2.0", "1.2.0-rc.1", "this client"],
])("a server %s and a client %s work together, and %s lacks what is new", (server, client, older) => {
  expect(describeVersion(server, client)).toBe(
    `the server is ${server}, this client ${client}; they work together, but ${older} lacks what is new`,
  );
  expect(refuseVersion(server, client)).toBeNull();
});

test.each([
  ["2.0.0", "1.9.9", "this client"],
  ["0.5.3", "1.0.0", "the server"],
  ["10.0.0", "9.1.0", "this client"],
])("a server %s and a client %s do not: upgrade %s", (server, client, older) => {
  expect(refuseVersion(server, client)).toEqual({
    exitCode: 1,
    message: `the server is ${server}, this client ${client}, which do not work together: upgrade ${older}`,
  });
});
