import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { CertificateFacts } from "../../core/machine/certificate.ts";
import { MADE_BY } from "./tls-certificate.ts";

export type TlsFiles = Readonly<{ key: string; certificate: string }>;

/** `key` and `certificate` are PEM texts. */
export type TlsPair = TlsFiles & Readonly<{ facts: CertificateFacts }>;

const MS_PER_S = 1000;

const refuse = (message: string): Result<never, Problem> => err({ message });

const readFile = (setting: string, path: string): Result<string, Problem> => {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return refuse(`${setting} can't be read: ${describeError(error)}`);
  }
};

const parse = <Parsed>(make: () => Parsed, message: string): Result<Parsed, Problem> => {
  try {
    return ok(make());
  } catch {
    return refuse(message);
  }
};

const isOurs = (certificate: X509Certificate): boolean =>
  certificate.subject.split("\n").includes(`O=${MADE_BY}`) && certificate.verify(certificate.publicKey);

const listNames = ({ subjectAltName }: X509Certificate): readonly string[] =>
  (subjectAltName ?? "").split(", ").flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);

const describeFacts = (certificate: X509Certificate): CertificateFacts => ({
  fingerprint: certificate.fingerprint256,
  expiresAt: Date.parse(certificate.validTo) / MS_PER_S,
  isOurs: isOurs(certificate),
  names: listNames(certificate),
});

const parsePair = (key: string, certificate: string, files: TlsFiles): Result<TlsPair, Problem> => {
  const leaf = parse(
    () => new X509Certificate(certificate),
    `ssl_certfile = "${files.certificate}" is no certificate in PEM`,
  );
  if (!leaf.ok) return leaf;
  const secret = parse<KeyObject>(
    () => createPrivateKey(key),
    `ssl_keyfile = "${files.key}" is no private key in PEM without a password`,
  );
  if (!secret.ok) return secret;
  return leaf.value.checkPrivateKey(secret.value)
    ? ok({ key, certificate, facts: describeFacts(leaf.value) })
    : refuse(`the key in ${files.key} is not that of the certificate in ${files.certificate}`);
};

/** Whether the files can be served, before they are. */
export const readPair = (files: TlsFiles): Result<TlsPair, Problem> => {
  const key = readFile("ssl_keyfile", files.key);
  if (!key.ok) return key;
  const certificate = readFile("ssl_certfile", files.certificate);
  return certificate.ok ? parsePair(key.value, certificate.value, files) : certificate;
};
