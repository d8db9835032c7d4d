import { execFileSync } from "node:child_process";
import { join } from "node:path";

export type CertificateFiles = Readonly<{ key: string; cert: string; fingerprint: string }>;

const OPENSSL = "openssl";
const KEY_KIND = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const LIFE = ["-days", "30"];

const run = (...words: readonly string[]): string =>
  execFileSync(OPENSSL, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const nameFiles = (folder: string, name: string) => ({
  key: join(folder, `${name}.key`),
  cert: join(folder, `${name}.crt`),
});

const readFiles = (files: Pick<CertificateFiles, "key" | "cert">): CertificateFiles => {
  const printed = run("x509", "-in", files.cert, "-noout", "-fingerprint", "-sha256");
  return { ...files, fingerprint: printed.trim().split("=")[1] ?? "" };
};

const request = (key: string, name: string, more = ""): readonly string[] => [
  ...["req", ...KEY_KIND, "-keyout", key, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}${more}`],
];

/** A self-signed certificate, made out to a name of its own. */
export const makeCertificate = (folder: string, name: string): CertificateFiles => {
  const files = nameFiles(folder, name);
  run(...request(files.key, name), "-x509", ...LIFE, "-out", files.cert);
  return readFiles(files);
};

/** A certificate that an authority has signed, made out to a name of its own and to this machine. */
export const signCertificate = (folder: string, name: string, authority: CertificateFiles): CertificateFiles => {
  const files = nameFiles(folder, name);
  const asked = join(folder, `${name}.csr`);
  run(...request(files.key, name, ",IP:127.0.0.1"), "-out", asked);
  const signer = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"];
  run("x509", "-req", "-in", asked, ...signer, ...LIFE, "-copy_extensions", "copy", "-out", files.cert);
  return readFiles(files);
};
