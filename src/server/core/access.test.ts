import { describe, expect, test } from "bun:test";
import { type AccessFacts, decideAccess, isLoopback, normalizeHost } from "./access.ts";

const facts = (changes: Partial<AccessFacts> = {}): AccessFacts => ({
  isOpen: false,
  peerAddress: "127.0.0.1",
  host: "localhost:54323",
  origin: null,
  serverHosts: new Set(["atlas", "10.0.0.7", "fd00::1", "nexus.example.com"]),
  token: "absent",
  ...changes,
});

const decide = (changes: Partial<AccessFacts>): string => {
  const decision = decideAccess(facts(changes));
  return decision.ok ? "allowed" : decision.error.code;
};

describe("credentials", () => {
  test.each([
    ["127.0.0.1", "absent", "allowed"],
    ["127.255.3.4", "absent", "allowed"],
    ["::1", "absent", "allowed"],
    ["::ffff:127.0.0.1", "absent", "allowed"],
    ["::FFFF:127.0.0.9", "wrong", "allowed"],
    ["10.0.0.9", "absent", "AUTHENTICATION_REQUIRED"],
    ["10.0.0.9", "wrong", "INVALID_CREDENTIALS"],
    ["10.0.0.9", "right", "allowed"],
    ["::ffff:10.0.0.9", "absent", "AUTHENTICATION_REQUIRED"],
    ["128.0.0.1", "absent", "AUTHENTICATION_REQUIRED"],
    ["127.evil.example", "absent", "AUTHENTICATION_REQUIRED"],
    ["", "absent", "AUTHENTICATION_REQUIRED"],
  ] as const)("a peer at %p with a token that is %s: %s", (peerAddress, token, outcome) => {
    expect(decide({ peerAddress, token })).toBe(outcome);
  });

  test("an open route asks for none", () => {
    expect(decide({ isOpen: true, peerAddress: "10.0.0.9" })).toBe("allowed");
  });
});

describe("host", () => {
  test.each([
    ["localhost", true],
    ["LOCALHOST.:80", true],
    ["127.0.0.1:54323", true],
    ["127.8.8.8", true],
    ["[::1]:54323", true],
    ["[0:0:0:0:0:0:0:1]", true],
    ["[::ffff:127.0.0.1]:1", true],
    ["Atlas:54323", true],
    ["nexus.example.com.", true],
    ["10.0.0.7:54323", true],
    ["[FD00:0:0::1]:54323", true],
    ["evil.example", false],
    ["localhost.evil.example", false],
    ["evil-localhost", false],
    ["127.0.0.1.evil.example", false],
    ["10.0.0.8", false],
    ["localhost:80, evil.example", false],
    ["evil.example@localhost", false],
    ["localhost/evil", false],
    ["localhost:", false],
    ["localhost:99999999", false],
    ["[::1", false],
    ["[::2]", false],
    ["", false],
    [" localhost", false],
  ])("%p is the server's own: %p", (host, own) => {
    expect(decide({ host })).toBe(own ? "allowed" : "FORBIDDEN_ORIGIN");
  });

  test("a request without one is refused, on an open route and with a token too", () => {
    expect(decide({ host: null, isOpen: true, token: "right" })).toBe("FORBIDDEN_ORIGIN");
  });
});

describe("origin", () => {
  test.each([
    ["http://localhost:54323", true],
    ["https://nexus.example.com", true],
    ["http://[::1]:54323", true],
    ["HTTP://ATLAS", true],
    ["null", false],
    ["", false],
    ["http://evil.example", false],
    ["http://localhost.evil.example", false],
    ["http://localhost@evil.example", false],
    ["file://", false],
    ["chrome-extension://localhost", false],
    ["http://localhost http://evil.example", false],
  ])("%p is the server's own: %p", (origin, own) => {
    expect(decide({ origin })).toBe(own ? "allowed" : "FORBIDDEN_ORIGIN");
  });

  test("a foreign page is refused even with the right token", () => {
    expect(decide({ origin: "http://evil.example", token: "right" })).toBe("FORBIDDEN_ORIGIN");
  });
});

test("a refusal for want of a token says how to send it", () => {
  const decision = decideAccess(facts({ peerAddress: "10.0.0.9" }));
  expect(decision).toMatchObject({ ok: false, error: { hint: expect.stringContaining("Bearer") } });
});

test("names are compared without case, brackets, trailing dot and long forms of addresses", () => {
  expect(["ATLAS.", "[::1]", "0:0::1", "10.0.0.7"].map(normalizeHost)).toEqual(["atlas", "::1", "::1", "10.0.0.7"]);
  expect(isLoopback(normalizeHost("[::ffff:127.0.0.1]"))).toBe(true);
});
