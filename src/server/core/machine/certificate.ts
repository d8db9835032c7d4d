import { isUnspecified, normalizeHost } from "../access/server-hosts.ts";

/** `expiresAt` in Unix seconds; `fingerprint` is SHA-256, as openssl prints it; `isOurs`: a nexus-server made it, and may make it anew. */
export type CertificateFacts = Readonly<{
  fingerprint: string;
  expiresAt: number;
  isOurs: boolean;
  names: readonly string[];
}>;

const LAST_DAYS_S = 30 * 86_400;
const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const ADDRESS = /^[0-9a-f]*:[0-9a-f:.]+$/;

/** What is to be done about its end, which clients would take for a failure. */
export const judgeCertificate = ({ expiresAt, isOurs }: CertificateFacts, now: number): "keep" | "renew" | "warn" => {
  if (expiresAt - now > LAST_DAYS_S) return "keep";
  return isOurs ? "renew" : "warn";
};

/** Names and addresses that a certificate can be made out to, each once, in their order. */
export const listCertificateNames = (names: readonly string[]): readonly string[] => [
  ...new Set(
    names.map(normalizeHost).filter((name) => (NAME.test(name) || ADDRESS.test(name)) && !isUnspecified(name)),
  ),
];
