import { createPublicKey } from "node:crypto";
import { isIP } from "node:net";
import type { SelfsignedOptions } from "selfsigned";

export type Certificate = Readonly<{ key: string; certificate: string }>;

/** The organization that certificates made here bear, so that they are known again. */
export const MADE_BY = "nexus-server";

const VALID_YEARS = 10;
const MAX_SUBJECT_CHARACTERS = 64;
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

const describeSubject = ([first = "nexus"]: readonly string[]) => [
  { name: "commonName", value: first.slice(0, MAX_SUBJECT_CHARACTERS) },
  { name: "organizationName", value: MADE_BY },
];

const keepKey = (privateKey: string): Pick<SelfsignedOptions, "keyPair"> => ({
  keyPair: { privateKey, publicKey: createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString() },
});

/** Self-signed, P-256, as PEM. The first of `names` (DNS names and addresses that clients use) is its subject. `key` is one made here before; without it a new one is made. */
export const createCertificate = async (
  names: readonly string[],
  now: Date,
  key: string | null = null,
): Promise<Certificate> => {
  const { generate } = await import("selfsigned");
  const made = await generate(describeSubject(names), {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: now,
    notAfterDate: addYears(now, VALID_YEARS),
    extensions: listExtensions(names),
    ...(key === null ? {} : keepKey(key)),
  });
  return { key: made.private, certificate: made.cert };
};
