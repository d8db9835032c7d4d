import { describe, expect, test } from "bun:test";
import { judgeCertificate, listCertificateNames } from "./certificate.ts";

const DAY_S = 86_400;
const NOW = 1_800_000_000;

const judge = (daysLeft: number, isOurs: boolean): string =>
  judgeCertificate({ fingerprint: "AB", expiresAt: NOW + daysLeft * DAY_S, isOurs, names: [] }, NOW);

describe("a certificate", () => {
  test("that a server made is renewed in its last 30 days and after them, any other is warned of", () => {
    expect([3650, 31, 30, 5, -5].map((days) => judge(days, true))).toEqual(["keep", "keep", "renew", "renew", "renew"]);
    expect([3650, 31, 30, 5, -5].map((days) => judge(days, false))).toEqual(["keep", "keep", "warn", "warn", "warn"]);
  });

  test("is made out to each name once, and to nothing that is no name or address", () => {
    expect(
      listCertificateNames(
        [
          "Atlas",
          "atlas.example.com.",
          "*.lab.example",
          "10.0.0.7",
          "[FD00::1]",
          "localhost",
          "127.0.0.1",
          "::1",
        ].concat([
          "atlas",
          "0.0.0.0",
          "::",
          "",
          "a b",
          "-x",
          "x-",
          "https://atlas",
          "FD00:0:0:0:0:0:0:1",
          "atlas:54323",
          "fe80::1%eth0",
        ]),
      ),
    ).toEqual(["atlas", "atlas.example.com", "*.lab.example", "10.0.0.7", "fd00::1", "localhost", "127.0.0.1", "::1"]);
  });
});
