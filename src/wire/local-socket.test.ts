import { expect, test } from "bun:test";
import { locatePersonalSocket, locateSocketFor, type SocketFacts } from "./local-socket.ts";

const FACTS: SocketFacts = {
  serverDir: "/home/ada/.local/state/nexus-server",
  digest: "0123456789abcdef0123456789abcdef",
  isShared: false,
  runtimeDir: "/run/user/1000",
  uid: 1000,
};

const LONG = `/home/${"a".repeat(100)}`;

test.each([
  ["in its folder", {}, "/home/ada/.local/state/nexus-server/nexus.sock"],
  ["as long as a path may be", { serverDir: `/${"a".repeat(95)}` }, `/${"a".repeat(95)}/nexus.sock`],
  ["no longer", { serverDir: `/${"a".repeat(96)}` }, "/run/user/1000/nexus-0123456789abcdef.sock"],
  ["by bytes, not letters", { serverDir: `/${"ü".repeat(60)}` }, "/run/user/1000/nexus-0123456789abcdef.sock"],
  ["not where other machines see it", { isShared: true }, "/run/user/1000/nexus-0123456789abcdef.sock"],
  ["without a runtime folder", { isShared: true, runtimeDir: null }, "/tmp/nexus-1000/nexus-0123456789abcdef.sock"],
  ["in /tmp at last", { serverDir: LONG, runtimeDir: LONG }, "/tmp/nexus-1000/nexus-0123456789abcdef.sock"],
] as const)("a personal server listens %s", (_where, facts, path) => {
  expect(locatePersonalSocket({ ...FACTS, ...facts })).toBe(path);
});

test.each([
  ["/home/nexus/nexus.sock", 1000, "/home/nexus/own.sock"],
  ["/root/nexus.sock", 0, "/root/root.sock"],
  ["/tmp/nexus-1000/nexus-0123456789abcdef.sock", 1000, "/tmp/nexus-1000/own-0123456789abcdef.sock"],
] as const)("beside %s it listens for user %d at %s", (socket, uid, path) => {
  expect(locateSocketFor(socket, uid)).toBe(path);
});
