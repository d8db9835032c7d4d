import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { fail, failUsage, phraseFailure } from "../../command-line/usage.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { SshKeyAnswer } from "../../wire/ssh-key.ts";
import { createApi } from "../connection/api-client.ts";
import { locateHome } from "../settings/config-file.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { canPrompt, confirm } from "../terminal/prompt.ts";

/** `line` is that of a public key, `fingerprint` as ssh-keygen shows it. */
export type SshKey = Readonly<{ path: string; line: string; fingerprint: string }>;

const USUAL_NAMES = ["id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"];
const LINE = /^(?:ssh-|ecdsa-|sk-)\S+ +([A-Za-z0-9+/=]+)/;

const parseLine = (path: string, text: string): Result<SshKey, Failure> => {
  const line = text.trim();
  const blob = LINE.exec(line)?.[1];
  if (blob === undefined || line.includes("\n"))
    return failUsage(`${path} is no public SSH key, as in ~/.ssh/id_ed25519.pub`);
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return ok({ path, line, fingerprint: `SHA256:${digest.replace(/=+$/, "")}` });
};

const readSshKey = (named: string): Result<SshKey, Failure> => {
  const path = !named.endsWith(".pub") && existsSync(`${named}.pub`) ? `${named}.pub` : named;
  try {
    return parseLine(path, readFileSync(path, "utf8"));
  } catch (error) {
    return failUsage(`the SSH key can't be read: ${describeError(error)}`);
  }
};

const findUsual = (): string | undefined =>
  USUAL_NAMES.map((name) => join(locateHome(), ".ssh", `${name}.pub`)).find((path) => existsSync(path));

/** The key that `--ssh-key` names, null without it. */
export const readGivenKey = (flags: FlagValues): Result<SshKey | null, Failure> => {
  const named = readText(flags, "ssh-key");
  return named === null ? ok(null) : readSshKey(named);
};

const askForKey = async (target: Target, flags: FlagValues): Promise<Result<SshKey | null, Failure>> => {
  const usual = target.tls === null || readSwitch(flags, "yes") || !canPrompt() ? undefined : findUsual();
  if (usual === undefined) return ok(null);
  const wanted = await confirm(`Register your SSH key ${usual}, to attach to jobs with ssh alone?`, "");
  if (!wanted.ok) return wanted;
  return wanted.value ? readSshKey(usual) : ok(null);
};

const register = async (target: Target, { server_user }: ServerStatus, key: SshKey): Promise<Outcome> => {
  const body = new Blob([key.line]);
  const answer = await createApi(target).upload<SshKeyAnswer>("/v1/auth/ssh-key", body, "text/plain");
  if (!answer.ok)
    return fail(
      `the target ${target.name} is added, but the SSH key is not registered: ${phraseFailure(answer.error)}`,
    );
  const host = new URL(target.address).hostname.replaceAll(/[[\]]/g, "");
  const state = answer.value.status === "exists" ? "was registered before" : "is registered";
  hint(`Your SSH key ${key.fingerprint} ${state}: ssh -t ${escapeText(server_user)}@${host} attach JOB_ID`);
  return DONE;
};

/** Registers the key that is given, or one of the usual files where there is a terminal to ask on. */
export const offerSshKey = async (
  target: Target,
  status: ServerStatus,
  { given, flags }: Readonly<{ given: SshKey | null; flags: FlagValues }>,
): Promise<Outcome> => {
  const key = given === null ? await askForKey(target, flags) : ok(given);
  if (!key.ok) return key;
  return key.value === null ? DONE : register(target, status, key.value);
};
