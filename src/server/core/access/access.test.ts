import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type AccessFacts,
  type Asked,
  type Credential,
  decideAccess,
  type LocalRules,
  type LocalUser,
  ROLES,
  type Role,
  type Source,
} from "./access.ts";
import { LOOPBACK_TRUST } from "./loopback.ts";
import { isLoopback, normalizeHost } from "./server-hosts.ts";

const OWNER: LocalUser = { user: "root", isOwner: true };
const BOB: LocalUser = { user: "bob", isOwner: false };
const at = (address: string, holder: LocalUser | null = OWNER): Source => ({ kind: "network", address, holder });
const by = (user: string, isOwner = false): Source => ({ kind: "socket", user, isOwner });
const token = (role: Role, name: string | null = "ann", isGuessable = false): Credential => ({
  kind: "token",
  name,
  role,
  isGuessable,
});

const LOCAL = at("127.0.0.1");
const REMOTE = at("10.0.0.9");
const ABSENT: Credential = { kind: "absent" };
const WRONG: Credential = { kind: "wrong" };
const EXPIRED: Credential = { kind: "expired" };

const RULES: LocalRules = { loopback: "owner", isShared: false, owner: "ann", roles: new Map() };
const SHARED: LocalRules = { ...RULES, isShared: true, owner: "nexus" };
const CLOSED: LocalRules = { ...RULES, loopback: "nobody" };

const facts = (changes: Partial<AccessFacts> = {}): AccessFacts => ({
  asked: { act: "enter" },
  isOpen: false,
  source: LOCAL,
  host: "localhost:54323",
  origin: null,
  serverHosts: new Set(["atlas", "10.0.0.7", "fd00::1", "nexus.example.com"]),
  local: RULES,
  credential: ABSENT,
  isGuessing: false,
  ...changes,
});

const decide = (changes: Partial<AccessFacts>): string => {
  const decision = decideAccess(facts(changes));
  return decision.ok ? "allowed" : decision.error.code;
};

const identify = (changes: Partial<AccessFacts>): string => {
  const decision = decideAccess(facts(changes));
  if (!decision.ok) return decision.error.code;
  const { name, role, via } = decision.value;
  return `${name ?? "nobody"} ${role} ${via}`;
};

describe("who asks", () => {
  test.each<readonly [string, Source, Credential, boolean, string]>([
    ["loopback", LOCAL, ABSENT, true, "nobody admin loopback"],
    ["loopback", at("127.255.3.4"), ABSENT, true, "nobody admin loopback"],
    ["loopback", at("::1"), ABSENT, true, "nobody admin loopback"],
    ["loopback", at("::ffff:127.0.0.1"), ABSENT, true, "nobody admin loopback"],
    ["loopback with a wrong token", at("::FFFF:127.0.0.9"), WRONG, true, "nobody admin loopback"],
    ["loopback with an expired token", LOCAL, EXPIRED, true, "nobody admin loopback"],
    ["loopback with a token", LOCAL, token("viewer"), true, "ann viewer token"],
    ["loopback that is not trusted", LOCAL, ABSENT, false, "AUTHENTICATION_REQUIRED"],
    ["loopback that is not trusted, with a wrong token", LOCAL, WRONG, false, "INVALID_CREDENTIALS"],
    ["loopback that is not trusted, with a token", LOCAL, token("user"), false, "ann user token"],
    ["elsewhere", REMOTE, ABSENT, true, "AUTHENTICATION_REQUIRED"],
    ["elsewhere with a wrong token", REMOTE, WRONG, true, "INVALID_CREDENTIALS"],
    ["elsewhere with an expired token", REMOTE, EXPIRED, true, "INVALID_CREDENTIALS"],
    ["elsewhere with a viewer's token", REMOTE, token("viewer"), true, "ann viewer token"],
    ["elsewhere with a user's token", REMOTE, token("user"), true, "ann user token"],
    ["elsewhere with an admin's token", REMOTE, token("admin"), true, "ann admin token"],
    ["elsewhere with the setting's token", REMOTE, token("admin", null), true, "nobody admin token"],
    ["an IPv4 address in IPv6", at("::ffff:10.0.0.9"), ABSENT, true, "AUTHENTICATION_REQUIRED"],
    ["an address like loopback", at("128.0.0.1"), ABSENT, true, "AUTHENTICATION_REQUIRED"],
    ["a name like loopback", at("127.evil.example"), ABSENT, true, "AUTHENTICATION_REQUIRED"],
    ["no address", at(""), ABSENT, true, "AUTHENTICATION_REQUIRED"],
    ["the socket", by("bob"), ABSENT, false, "bob user socket"],
    ["the socket, as root or the server's user", by("root", true), ABSENT, false, "root admin socket"],
    ["the socket with a wrong token", by("bob"), WRONG, true, "bob user socket"],
    ["the socket with a token", by("bob"), token("admin"), true, "ann admin token"],
    ["the socket, as one called like loopback", by("127.0.0.1"), ABSENT, true, "127.0.0.1 user socket"],
  ])("%s", (_what, source, credential, trustsLoopback, who) => {
    expect(identify({ source, credential, local: trustsLoopback ? RULES : CLOSED })).toBe(who);
  });

  test.each<readonly [string, Source, Partial<LocalRules>, string]>([
    ["a user of the machine on a personal server's loopback", at("127.0.0.1", BOB), RULES, "AUTHENTICATION_REQUIRED"],
    ["a user of the machine on a shared server's loopback", at("::1", BOB), SHARED, "bob user loopback"],
    [
      "one whom the settings name",
      at("::1", BOB),
      { ...SHARED, roles: new Map([["bob", "viewer"]]) },
      "bob viewer loopback",
    ],
    ["the same by the socket", by("bob"), { ...SHARED, roles: new Map([["bob", "admin"]]) }, "bob admin socket"],
    [
      "root, whom the settings call a viewer",
      LOCAL,
      { ...SHARED, roles: new Map([["root", "viewer"]]) },
      "nobody admin loopback",
    ],
    ["who can't be told", at("127.0.0.1", null), SHARED, "AUTHENTICATION_REQUIRED"],
    [
      "who can't be told, where anyone is trusted",
      at("127.0.0.1", null),
      { ...RULES, loopback: "anyone" },
      "nobody admin loopback",
    ],
    [
      "a user of the machine, where anyone is trusted",
      at("127.0.0.1", BOB),
      { ...RULES, loopback: "anyone" },
      "nobody admin loopback",
    ],
    [
      "a user of the machine, where nobody is trusted",
      at("127.0.0.1", BOB),
      { ...SHARED, loopback: "nobody" },
      "AUTHENTICATION_REQUIRED",
    ],
    ["an address of the machine that is not loopback", at("192.0.2.2", BOB), SHARED, "AUTHENTICATION_REQUIRED"],
  ])("%s", (_what, source, local, who) => {
    expect(identify({ source, local: { ...RULES, ...local } })).toBe(who);
  });

  test("a server that trusts nobody on loopback says so, shared or not", () => {
    for (const local of [CLOSED, { ...SHARED, loopback: "nobody" } as const])
      expect(decideAccess(facts({ source: at("127.0.0.1", null), local }))).toMatchObject({
        error: { message: "A bearer token is needed", hint: expect.stringContaining("trusts no address") },
      });
  });

  test("a server for all users of the machine says that it can't tell who asks", () => {
    expect(decideAccess(facts({ source: at("127.0.0.1", null), local: SHARED }))).toMatchObject({
      error: {
        message: "A bearer token is needed: the kernel names no user of this machine",
        hint: expect.stringContaining("use the server's socket"),
      },
    });
  });

  test("a personal server says whose it is to another user of the machine", () => {
    expect(decideAccess(facts({ source: at("127.0.0.1", BOB) }))).toMatchObject({
      error: { message: "This is the Nexus server of ann: bob needs a token of it" },
    });
    expect(decideAccess(facts({ source: at("::1", null) }))).toMatchObject({
      error: { message: expect.stringMatching(/^This is the Nexus server of ann: who is not known/) },
    });
  });

  const RULES_OF = fc.record({
    loopback: fc.constantFrom(...LOOPBACK_TRUST),
    isShared: fc.boolean(),
    owner: fc.string(),
  });
  const HOLDER = fc.record({ user: fc.constantFrom("root", "ann", "bob"), isOwner: fc.boolean() });
  const ROLES_OF = fc
    .array(fc.tuple(fc.constantFrom("root", "ann", "bob"), fc.constantFrom(...ROLES)))
    .map((roles) => new Map<string, Role>(roles));
  const SENT = fc.constantFrom<Credential>(ABSENT, WRONG, EXPIRED);

  test("nobody is let in by an address alone, unless anyone is trusted, and nobody from elsewhere", () => {
    const address = fc.constantFrom("127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1", "10.0.0.9", "fd00::9", "");
    fc.assert(
      fc.property(fc.option(HOLDER), address, RULES_OF, SENT, (holder, to, local, credential) => {
        const source = at(to, holder);
        const isKnown = local.loopback === "owner" && (holder?.isOwner === true || (local.isShared && holder !== null));
        const isLetIn = isLoopback(to) && (local.loopback === "anyone" || isKnown);
        const rules = { ...local, roles: new Map() };
        expect(decideAccess(facts({ source, local: rules, credential })).ok).toBe(isLetIn);
      }),
      { numRuns: 2000 },
    );
  });

  test("who is let in by the kernel's word is the same by loopback and by the socket, and an admin only as owner or by name", () => {
    fc.assert(
      fc.property(HOLDER, ROLES_OF, SENT, (holder, roles, credential) => {
        const local = { ...SHARED, roles };
        const ask = (source: Source) => decideAccess(facts({ source, local, credential }));
        const [loopback, socket] = [ask(at("::1", holder)), ask({ kind: "socket", ...holder })];
        const role = holder.isOwner ? "admin" : (roles.get(holder.user) ?? "user");
        expect(loopback).toMatchObject({ value: { role, name: holder.isOwner ? null : holder.user } });
        expect(socket).toMatchObject({ value: { role, name: holder.user } });
      }),
      { numRuns: 1000 },
    );
  });

  test("an open route asks for no credentials, and lets nobody do more than look", () => {
    expect(identify({ isOpen: true, source: REMOTE })).toBe("nobody viewer nothing");
    expect(decide({ isOpen: true, source: REMOTE, asked: { act: "read" } })).toBe("allowed");
    expect(decide({ isOpen: true, source: REMOTE, asked: { act: "contribute" } })).toBe("FORBIDDEN");
  });
});

describe("what may be done", () => {
  const ASKED: Readonly<Record<string, Asked>> = {
    enter: { act: "enter" },
    read: { act: "read" },
    contribute: { act: "contribute" },
    administer: { act: "administer" },
    "submit as ann": { act: "submit as", user: "ann" },
    "submit as bob": { act: "submit as", user: "bob" },
    "submit as Ann": { act: "submit as", user: "Ann" },
    "pass a blacklist": { act: "pass a blacklist" },
    "reserve for ann": { act: "reserve for", user: "ann" },
    "reserve for bob": { act: "reserve for", user: "bob" },
    "unreserve ann's": { act: "unreserve", reservation: "r", owner: "ann" },
    "unreserve bob's": { act: "unreserve", reservation: "s", owner: "bob" },
    "change ann's": { act: "change", job: "a", owner: "ann" },
    "change bob's": { act: "change", job: "b", owner: "bob" },
    "type into ann's": { act: "type into", job: "a", owner: "ann" },
    "type into bob's": { act: "type into", job: "b", owner: "bob" },
  };
  const LOOKS = ["enter", "read"];
  const WORK = ["contribute", "submit as ann", "unreserve ann's", "change ann's", "type into ann's"];
  const OWN = [...LOOKS, ...WORK, "reserve for ann"];
  const ALL = Object.keys(ASKED);

  const WHO: readonly (readonly [string, Partial<AccessFacts>, readonly string[]])[] = [
    ["a viewer by token", { source: REMOTE, credential: token("viewer") }, LOOKS],
    ["a viewer by token from loopback", { credential: token("viewer") }, LOOKS],
    ["a viewer by token through the socket", { source: by("root", true), credential: token("viewer") }, LOOKS],
    ["an agent by token", { source: REMOTE, credential: token("agent") }, [...LOOKS, ...WORK]],
    ["a user by token", { source: REMOTE, credential: token("user") }, OWN],
    ["a user by token from loopback", { credential: token("user") }, OWN],
    ["a user by the socket", { source: by("ann") }, OWN],
    ["an admin by token", { source: REMOTE, credential: token("admin") }, ALL],
    ["the server's owner by the socket", { source: by("root", true) }, ALL],
    ["the holder of the setting's token", { source: REMOTE, credential: token("admin", null) }, ALL],
    ["whoever is on trusted loopback", {}, ALL],
  ];

  test.each(WHO.flatMap(([who, changes, may]) => ALL.map((what) => [who, what, may.includes(what), changes] as const)))(
    "%s: %s: %p",
    (_who, what, isAllowed, changes) => {
      const asked = ASKED[what] ?? { act: "administer" };
      expect(decide({ ...changes, asked })).toBe(isAllowed ? "allowed" : "FORBIDDEN");
    },
  );

  test.each(ALL)("who has not said who they are may not even: %s", (what) => {
    const asked = ASKED[what] ?? { act: "enter" };
    expect(decide({ source: REMOTE, asked })).toBe("AUTHENTICATION_REQUIRED");
    expect(decide({ source: REMOTE, asked, credential: WRONG })).toBe("INVALID_CREDENTIALS");
    expect(decide({ asked, origin: "http://evil.example", credential: token("admin") })).toBe("FORBIDDEN_ORIGIN");
  });

  test("a refusal says whose job it is, and what can be done instead", () => {
    const refuse = (asked: Asked) => decideAccess(facts({ source: REMOTE, credential: token("user"), asked }));
    expect(refuse({ act: "type into", job: "k3", owner: "b\u001b[2Job" })).toMatchObject({
      error: {
        message: 'Job k3 is of "b\\u001b[2Job": ann can\'t type into it',
        hint: expect.stringContaining("--watch"),
      },
    });
    expect(refuse({ act: "submit as", user: "bob" })).toMatchObject({
      error: { message: 'ann can\'t submit as "bob"', hint: expect.stringContaining("NEXUS_USER") },
    });
  });
});

describe("an address from which too many wrong tokens came", () => {
  test.each<readonly [string, Source, Credential, string]>([
    ["a wrong token", REMOTE, WRONG, "TOO_MANY_REQUESTS"],
    ["an expired one", REMOTE, EXPIRED, "TOO_MANY_REQUESTS"],
    ["a right one that can be guessed", REMOTE, token("admin", null, true), "TOO_MANY_REQUESTS"],
    ["a right one that nobody guesses", REMOTE, token("user"), "allowed"],
    ["none", REMOTE, ABSENT, "AUTHENTICATION_REQUIRED"],
    ["a wrong one from trusted loopback", LOCAL, WRONG, "allowed"],
    ["a wrong one through the socket", by("bob"), WRONG, "allowed"],
  ])("%s", (_what, source, credential, outcome) => {
    expect(decide({ source, credential, isGuessing: true })).toBe(outcome);
  });

  test("reads the health, as all may", () => {
    expect(decide({ source: REMOTE, credential: WRONG, isGuessing: true, isOpen: true })).toBe("allowed");
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

  test("a refusal names the setting that allows it, and what is allowed", () => {
    const serverHosts = new Set(["0.0.0.0", "atlas", "10.0.0.7"]);
    expect(decideAccess(facts({ host: "gpu.example.com:54323", serverHosts }))).toMatchObject({
      error: {
        code: "FORBIDDEN_ORIGIN",
        message:
          "This server is not called gpu.example.com:54323, but localhost, 127.0.0.1, ::1, atlas, 10.0.0.7; the setting allowed_hosts adds names",
      },
    });
  });

  test("a request without one is refused, on an open route and with a token too", () => {
    expect(decide({ host: null, isOpen: true, credential: token("admin") })).toBe("FORBIDDEN_ORIGIN");
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
    expect(decide({ origin: "http://evil.example", credential: token("admin") })).toBe("FORBIDDEN_ORIGIN");
  });
});

test("a refusal for want of a token says how to send it, on the server's own machine what else there is", () => {
  const refuse = (source: Source) => decideAccess(facts({ source, local: CLOSED }));
  expect(refuse(REMOTE)).toMatchObject({ ok: false, error: { hint: expect.stringContaining("Bearer") } });
  expect(refuse(LOCAL)).toMatchObject({ ok: false, error: { hint: expect.stringContaining("NEXUS_SOCKET") } });
});

test("names are compared without case, brackets, trailing dot and long forms of addresses", () => {
  expect(["ATLAS.", "[::1]", "0:0::1", "10.0.0.7"].map(normalizeHost)).toEqual(["atlas", "::1", "::1", "10.0.0.7"]);
  expect(isLoopback(normalizeHost("[::ffff:127.0.0.1]"))).toBe(true);
});
