import { expect, test } from "bun:test";
import { type Configured, listUpgradeNews } from "./upgrade-news.ts";

const SETTINGS: Configured["settings"] = {
  trustLoopback: "owner",
  socket: "/run/nexus-server/nexus.sock",
  host: "0.0.0.0",
  sslCertfile: "/tls.crt",
  insecureHttp: false,
};

const tell = (file: Configured["file"], settings: Partial<Configured["settings"]> = {}): string =>
  listUpgradeNews({ file, settings: { ...SETTINGS, ...settings } }).join("\n");

test("who trusted all of loopback, or did not say, is told who is an admin now, and what the others are", () => {
  for (const file of [{}, { trust_loopback: true }])
    expect(tell(file)).toMatch(/^Loopback made everybody .* admin.*"anyone".*\nEach other user .* by name .*role/);
});

test("without a socket they are told how to let the others in", () => {
  expect(tell({}, { socket: null })).toMatch(/need a token: socket = "\/run\/nexus-server\/nexus.sock"/);
});

test("who trusted nobody is told the new word, and who has it is told nothing", () => {
  expect(tell({ trust_loopback: false }, { trustLoopback: "nobody" })).toBe(
    `trust_loopback = false is called "nobody" now; it means the same`,
  );
  for (const trustLoopback of ["owner", "anyone", "nobody"] as const)
    expect(tell({ trust_loopback: trustLoopback }, { trustLoopback })).toBe("");
});

test("who spoke plain HTTP to others is told that it becomes TLS", () => {
  const file = { trust_loopback: "owner" };
  expect(tell(file, { sslCertfile: null })).toContain("insecure_http = true");
  expect(tell(file, { sslCertfile: null, insecureHttp: true })).toBe("");
  expect(tell(file, { sslCertfile: null, host: "127.0.0.1" })).toBe("");
});
