import { expect, test } from "bun:test";
import { createHarness, TOKEN } from "../../../../tests/support/api.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH ada@laptop";
const PATH = "/v1/auth/ssh-key";

test("a key is registered once, and who asked for it is in the log", async () => {
  const { call, lines } = createHarness();
  const first = await call("POST", PATH, { body: `${KEY}\n`, headers: { "x-nexus-user": "ada" } });
  expect([first.status, await first.json()]).toEqual([200, { status: "registered" }]);
  const second = await call("POST", PATH, { body: KEY.replace("ada@laptop", "other") });
  expect([second.status, await second.json()]).toEqual([200, { status: "exists" }]);
  expect(lines.find(({ event }) => event === "ssh key")?.fields).toMatchObject({
    outcome: "registered",
    type: "ssh-ed25519",
    comment: "ada@laptop",
    reason: "asked for by ada at 127.0.0.1",
  });
});

test.each([
  ["", "begins with its type"],
  ["not a key", "begins with its type"],
  [`command="sh" ${KEY}`, "without options"],
  [`${KEY}\n${KEY}\n`, "one line"],
  [`${KEY}${"A".repeat(16 * 1024)}`, "16 KiB"],
  [new Uint8Array([0xff, 0xfe, 0x0a]), "one line"],
])("a body like %j is refused", async (body, message) => {
  const response = await createHarness().call("POST", PATH, { body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: "INVALID_REQUEST", message: expect.stringContaining(message) });
});

test("from elsewhere it takes the token", async () => {
  const { call } = createHarness();
  expect((await call("POST", PATH, { body: KEY, peer: "10.0.0.9" })).status).toBe(401);
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await call("POST", PATH, { body: KEY, peer: "10.0.0.9", headers })).status).toBe(200);
});

test("a user's key attaches to jobs of that name, an admin's to all, and a viewer registers none", async () => {
  const { call, addToken, keyOwners } = createHarness();
  const registerAs = async (role: "viewer" | "user" | "admin"): Promise<number> => {
    const headers = { authorization: `Bearer ${addToken(`ann-${role}`, role)}` };
    return (await call("POST", PATH, { body: KEY, peer: "10.0.0.9", headers })).status;
  };
  expect([await registerAs("user"), await registerAs("admin"), await registerAs("viewer")]).toEqual([200, 200, 403]);
  expect(keyOwners).toEqual(["ann-user", null]);
});

test("a file that can't be written is told as such", async () => {
  const { call, breakDisk } = createHarness();
  breakDisk();
  expect((await call("POST", PATH, { body: KEY })).status).toBe(503);
});
