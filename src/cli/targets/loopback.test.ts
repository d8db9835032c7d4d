import { describe, expect, test } from "bun:test";
import { isLoopback } from "./loopback.ts";

describe("a host is this machine", () => {
  test.each([
    ...["localhost", "LOCALHOST", "Localhost.", "127.0.0.1", "127.1", "127.255.255.254", "0x7f000001", "2130706433"],
    ...["::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "[::FFFF:7F00:1]", "0.0.0.0", "0", "::", "[::]"],
  ])("as %s", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each([
    ...["gpu-box", "localhost.example", "notlocalhost", "128.0.0.1", "1.127.0.0", "10.0.0.1", "::2", "fe80::1", ""],
    ...["::ffff:10.0.0.1", "127.0.0.1.example", "a b", "127.0.0.1@example.org", "2001:db8::1"],
  ])("not as %j", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
