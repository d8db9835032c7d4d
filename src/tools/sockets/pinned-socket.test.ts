import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canBeOthers } from "../../../tests/support/as-user.ts";
import { pinSocket, type SocketDoubt } from "./pinned-socket.ts";

const OWN = process.getuid?.() ?? 0;
const OTHER = 54_321;

let folder: string;
let path: string;
let servers: Server[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-pin-"));
  path = join(folder, "nexus.sock");
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const listen = async (at: string, greeting = ""): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => socket.end(greeting));
  servers.push(server.listen(at, resolve));
  await promise;
};

const greet = (at: string): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  connect(at).on("data", (data) => resolve(String(data)));
  return promise;
};

const judge = (at: string = path, trusted: readonly number[] = [OWN]): SocketDoubt | "none" => {
  const pinned = pinSocket(at, trusted);
  if (pinned.ok) pinned.value.close();
  return pinned.ok ? "none" : pinned.error;
};

const countOpenFiles = (): number => readdirSync("/proc/self/fd").length;

test("a socket of the user in a folder of theirs is trusted, also by way of a link, and nothing stays open", async () => {
  await listen(path);
  symlinkSync(path, join(folder, "link"));
  const before = countOpenFiles();
  expect([judge(), judge(join(folder, "link"))]).toEqual(["none", "none"]);
  const pinned = pinSocket(path, [OWN]);
  if (pinned.ok) for (let round = 0; round < 2; round += 1) pinned.value.close();
  expect([judge(path, []), judge(join(folder, "none"))]).not.toContain("none");
  expect(countOpenFiles()).toBe(before);
});

test("what is no socket, and what is not there, is absent", () => {
  mkdirSync(path);
  expect(judge()).toEqual({ kind: "absent" });
  expect(judge(join(folder, "none"))).toEqual({ kind: "absent" });
  expect(judge(join(folder, "none", "nexus.sock"))).toEqual({ kind: "absent" });
});

test("a folder that is moved into its place afterwards is not the one that was looked at", async () => {
  const [home, hostile] = [join(folder, "home"), join(folder, "hostile")];
  for (const each of [home, hostile]) mkdirSync(each);
  await listen(join(home, "nexus.sock"), "own");
  await listen(join(hostile, "nexus.sock"), "thief");
  const pinned = pinSocket(join(home, "nexus.sock"), [OWN]);
  renameSync(home, join(folder, "gone"));
  renameSync(hostile, home);
  expect(pinned.ok && (await greet(pinned.value.path))).toBe("own");
  if (pinned.ok) pinned.value.close();
});

describe("a folder that others may write to", () => {
  test.each([0o777, 0o775, 0o757, 0o2770])("with mode %o gives no trust", async (mode) => {
    await listen(path);
    chmodSync(folder, mode);
    expect(judge()).toEqual({ kind: "open", path: folder });
  });

  test("does where only the owner of a file may take it away", async () => {
    await listen(path);
    chmodSync(folder, 0o1777);
    expect(judge()).toBe("none");
  });
});

describe.skipIf(!canBeOthers)("of another user", () => {
  test("neither the socket nor the folder is trusted, whatever their modes", async () => {
    await listen(path);
    chownSync(path, OTHER, OTHER);
    chmodSync(folder, 0o1777);
    expect(judge()).toEqual({ kind: "foreign", path, uid: OTHER });
    chownSync(path, OWN, OWN);
    chownSync(folder, OTHER, OTHER);
    expect(judge()).toEqual({ kind: "foreign", path: folder, uid: OTHER });
    chmodSync(folder, 0o700);
    expect(judge()).toEqual({ kind: "foreign", path: folder, uid: OTHER });
  });

  test("both are once that user is trusted", async () => {
    await listen(path);
    for (const each of [folder, path]) chownSync(each, OTHER, OTHER);
    expect(judge(path, [OWN, OTHER])).toBe("none");
  });
});
