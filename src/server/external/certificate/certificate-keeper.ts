import { statSync } from "node:fs";
import { describeError } from "../../../base/describe-error.ts";
import { ok, type Problem, type Result } from "../../../base/result.ts";
import { replaceFile } from "../../../tools/replace-file.ts";
import type { Clock } from "../../core/clock.ts";
import { judgeCertificate, listCertificateNames } from "../../core/machine/certificate.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { createCertificate } from "./tls-certificate.ts";
import { readPair, type TlsFiles, type TlsPair } from "./tls-pair.ts";

/** `look` takes over files that have changed and renews what ends soon; it resolves with whether another pair is to be served. */
export type CertificateKeeper = Readonly<{ pair: () => TlsPair; look: () => Promise<boolean> }>;

/** `listNames` gives the names and addresses that clients use now. */
export type KeeperOptions = Readonly<{
  files: TlsFiles;
  listNames: () => readonly string[];
  clock: Clock;
  log: Log;
}>;

type State = { pair: TlsPair; mark: string; judgedAt: number };

const DAY_S = 86_400;
const MS_PER_S = 1000;
const MODE_BITS = 0o777;

const markFile = (path: string): string => {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, size: 0, mtimeMs: 0 };
  return `${ino} ${size} ${mtimeMs}`;
};

const markFiles = ({ key, certificate }: TlsFiles): string => `${markFile(key)} ${markFile(certificate)}`;

const describeEnd = ({ facts }: TlsPair): string => new Date(facts.expiresAt * MS_PER_S).toISOString();

const renew = async (state: State, { files, listNames, clock, log }: KeeperOptions): Promise<void> => {
  try {
    const { key, facts } = state.pair;
    const names = listCertificateNames([...facts.names, ...listNames()]);
    const made = await createCertificate(names, new Date(clock() * MS_PER_S), key);
    replaceFile(files.certificate, made.certificate, statSync(files.certificate).mode & MODE_BITS);
    const renewed = readPair(files);
    if (!renewed.ok) throw new Error(renewed.error.message);
    Object.assign(state, { pair: renewed.value, mark: markFiles(files) });
    const { fingerprint } = renewed.value.facts;
    log.warn("certificate renewed", { before: facts.fingerprint, fingerprint, ends: describeEnd(renewed.value) });
  } catch (error) {
    log.error("certificate can't be renewed", { ends: describeEnd(state.pair), reason: describeError(error) });
  }
};

const judge = async (state: State, options: KeeperOptions): Promise<void> => {
  state.judgedAt = options.clock();
  const judgement = judgeCertificate(state.pair.facts, state.judgedAt);
  if (judgement === "renew") await renew(state, options);
  if (judgement === "warn")
    options.log.warn("certificate ends soon", { file: options.files.certificate, ends: describeEnd(state.pair) });
};

const takeOver = (state: State, { files, log }: KeeperOptions, mark: string): void => {
  state.mark = mark;
  const pair = readPair(files);
  if (pair.ok) state.pair = pair.value;
  else log.warn("certificate not taken", { reason: pair.error.message });
};

const look = async (state: State, options: KeeperOptions): Promise<boolean> => {
  const mark = markFiles(options.files);
  const hasChanged = mark !== state.mark;
  if (!hasChanged && options.clock() - state.judgedAt < DAY_S) return false;
  const before = state.pair.facts.fingerprint;
  if (hasChanged) takeOver(state, options, mark);
  await judge(state, options);
  return state.pair.facts.fingerprint !== before;
};

/** Fails when the files can't be served. One that a nexus-server made is renewed in its last 30 days, with the same key; any other is only warned of. */
export const openCertificate = async (options: KeeperOptions): Promise<Result<CertificateKeeper, Problem>> => {
  const mark = markFiles(options.files);
  const pair = readPair(options.files);
  if (!pair.ok) return pair;
  const state: State = { pair: pair.value, mark, judgedAt: 0 };
  await judge(state, options);
  return ok({ pair: () => state.pair, look: () => look(state, options) });
};
