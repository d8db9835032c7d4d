import { afterEach, beforeEach, expect, onTestFinished, test } from "bun:test";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canBeOthers } from "../../../tests/support/as-user.ts";
import { pickPort } from "../../../tests/support/pick-port.ts";
import { startThief } from "../../../tests/support/thief.ts";
import type { Target } from "../targets/target.ts";
import { isOwnServer } from "./own-server.ts";

const OTHER = 54_321;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-own-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const createTarget = (more: Partial<Target>): Target => ({
  ...{ name: "x", address: "x", baseUrl: "http://127.0.0.1:1", socket: null, triesPort: false, listener: "machine" },
  ...{ ssh: null, token: null, tls: null, fingerprint: null, isInstalled: false, autostart: false, notes: [] },
  config: {},
  ...more,
});

const ask = (more: Partial<Target>) => isOwnServer(createTarget(more));

const SSH = { user: null, host: "box", port: null, serverAt: "1" };

test("a server at a socket is one's own if one made it", async () => {
  const socket = join(folder, "own.sock");
  const server = Bun.listen({ unix: socket, socket: { data: () => undefined } });
  onTestFinished(() => server.stop(true));
  expect(await ask({ socket, listener: "own" })).toBe(true);
  expect(await ask({ socket, listener: "any" })).toBe(true);
  expect(await ask({ socket, ssh: SSH })).toBe(false);
  expect(await ask({ socket, baseUrl: "https://127.0.0.1:1" })).toBe(false);
});

test.skipIf(!canBeOthers)("and not if another did, whomever one trusts", async () => {
  const socket = join(folder, "own.sock");
  const server = Bun.listen({ unix: socket, socket: { data: () => undefined } });
  onTestFinished(() => server.stop(true));
  chownSync(socket, OTHER, OTHER);
  expect(await ask({ socket, listener: "own" })).toBe(false);
  expect(await ask({ socket, listener: "any", autostart: true })).toBe(false);
});

test("a server at a port is one's own if one listens there", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  onTestFinished(() => server.stop(true));
  const baseUrl = `http://127.0.0.1:${server.port}`;
  expect(await ask({ baseUrl })).toBe(true);
  expect(await ask({ baseUrl, listener: "any" })).toBe(true);
  expect(await ask({ baseUrl, socket: join(folder, "none"), triesPort: true })).toBe(true);
  expect(await ask({ baseUrl, ssh: SSH })).toBe(false);
  expect(await ask({ baseUrl: baseUrl.replace("http", "https") })).toBe(false);
});

test.skipIf(!canBeOthers)("and not if another does", async () => {
  const thief = await startThief(folder);
  onTestFinished(thief.stop);
  const baseUrl = `http://127.0.0.1:${thief.port}`;
  expect(await ask({ baseUrl, listener: "any", autostart: true })).toBe(false);
});

test("where none is yet, it will be one's own if it is started or can be nobody else's", async () => {
  const baseUrl = `http://127.0.0.1:${await pickPort()}`;
  expect(await ask({ baseUrl })).toBe(false);
  expect(await ask({ baseUrl, autostart: true })).toBe(true);
  expect(await ask({ socket: join(folder, "none"), listener: "own" })).toBe(true);
});
