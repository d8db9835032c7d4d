import { isIP } from "node:net";
import type { SelfsignedOptions } from "selfsigned";

export type Certificate = Readonly<{ key: string; certificate: string }>;

const VALID_YEARS = 10;
const DNS_NAME: 2 = 2;
const IP_ADDRESS: 7 = 7;

const toAltName = (name: string) =>
  isIP(name) === 0 ? { type: DNS_NAME, value: name } : { type: IP_ADDRESS, ip: name };

const addYears = (from: Date, years: number): Date => {
  const date = new Date(from);
  date.setFullYear(from.getFullYear() + years);
  return date;
};

const listExtensions = (names: readonly string[]): NonNullable<SelfsignedOptions["extensions"]> => [
  { name: "basicConstraints", cA: false, critical: true },
  { name: "keyUsage", digitalSignature: true, critical: true },
  { name: "extKeyUsage", serverAuth: true },
  { name: "subjectAltName", altNames: names.map(toAltName) },
];

/** Self-signed, P-256, as PEM. The first of `names` (DNS names and addresses that clients use) is its subject. */
export const createCertificate = async (names: readonly string[], now: Date): Promise<Certificate> => {
  const { generate } = await import("selfsigned");
  const { private: key, cert } = await generate([{ name: "commonName", value: names[0] ?? "nexus" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: now,
    notAfterDate: addYears(now, VALID_YEARS),
    extensions: listExtensions(names),
  });
  return { key, certificate: cert };
};
