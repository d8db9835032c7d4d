import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { refuseWord } from "../../command-line/refuse-word.ts";
import { convertProblem, fail, failUsage } from "../../command-line/usage.ts";
import { digestText, drawToken } from "../../tools/digest.ts";
import { ROLES, type Role } from "../core/access/access.ts";
import { type AccessToken, isExpired, isUserName } from "../core/access/access-token.ts";
import { parseExpiry } from "../core/access/expiry.ts";
import { nameOperator, noteTokenChange } from "../external/access/token-log.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { addToken, listTokens, revokeToken } from "../external/sqlite/beside-server/tokens.ts";
import { becomeOwner } from "./become-owner.ts";
import { rotateToken } from "./rotate-token.ts";
import { describeLimits, LIMIT_FLAGS, readLimits } from "./token-limits.ts";

const CALLED = "nexus-server token";
const ACTIONS = ["add", "list", "revoke"];
const USAGE = `${CALLED} [add NAME | list | revoke NAME | --rotate] [flags]`;
const DEFAULT_ROLE = "user";
const NAME_RULE = "a name is 1 to 64 characters, without blanks around it and without line breaks";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const readRole = (flags: FlagValues): Result<Role, Failure> => {
  const role = readText(flags, "role") ?? DEFAULT_ROLE;
  const known = ROLES.find((one) => one === role);
  return known === undefined
    ? failUsage(`${JSON.stringify(role)} is no role: there are ${ROLES.join(", ")}`)
    : ok(known);
};

const readExpiry = (flags: FlagValues, now: number): Result<number | null, Failure> => {
  const expires = readText(flags, "expires");
  if (expires === null) return ok(null);
  const time = parseExpiry(expires, now);
  return time.ok ? time : failUsage(time.error.message);
};

const describeTime = (time: number): string =>
  `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const describeEnd = (expiresAt: number | null): string =>
  expiresAt === null ? "until it is revoked" : `until ${describeTime(expiresAt)}`;

const planToken = (flags: FlagValues, name: string | undefined): Result<AccessToken, Failure> => {
  if (name === undefined) return failUsage(`whose token? Its usage is: ${USAGE}`);
  if (!isUserName(name) || name !== name.trim())
    return failUsage(`${JSON.stringify(name)} can't be a name: ${NAME_RULE}`);
  const role = readRole(flags);
  if (!role.ok) return role;
  const limits = readLimits(flags, role.value);
  if (!limits.ok) return limits;
  const createdAt = Date.now() / 1000;
  const expiresAt = readExpiry(flags, createdAt);
  if (!expiresAt.ok) return expiresAt;
  return ok({ name, role: role.value, createdAt, expiresAt: expiresAt.value, limits: limits.value });
};

const add = (serverDir: string, flags: FlagValues, name: string | undefined): Outcome => {
  const planned = planToken(flags, name);
  if (!planned.ok) return planned;
  const token = drawToken();
  const added = convertProblem(addToken(serverDir, { ...planned.value, digest: digestText(token) }));
  if (!added.ok) return added;
  process.stdout.write(`${token}\n`);
  const { name: holder, role, expiresAt } = planned.value;
  const limits = describeLimits(planned.value);
  const within = limits === "" ? "" : ` (${limits})`;
  say(
    `This is shown only once. It makes its holder ${holder}, in the role ${role}${within}, ${describeEnd(expiresAt)}.`,
  );
  return DONE;
};

const describeRow = (now: number, token: AccessToken): readonly string[] => [
  token.name,
  token.role,
  describeTime(token.createdAt),
  token.expiresAt === null ? "never" : `${describeTime(token.expiresAt)}${isExpired(token, now) ? " (expired)" : ""}`,
  describeLimits(token),
];

const renderTable = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
};

const toJson = ({ name, role, createdAt, expiresAt, limits }: AccessToken) => ({
  name,
  role,
  created_at: createdAt,
  expires_at: expiresAt,
  ...(limits ? { limits: { gpus: limits.gpus, queued: limits.queued, gpu_hours: limits.gpuHours } } : {}),
});

const list = (serverDir: string, flags: FlagValues): Outcome => {
  const tokens = convertProblem(listTokens(serverDir));
  if (!tokens.ok) return tokens;
  const now = Date.now() / 1000;
  const rows = tokens.value.map((token) => describeRow(now, token));
  if (readSwitch(flags, "json")) process.stdout.write(`${JSON.stringify(tokens.value.map(toJson), null, 2)}\n`);
  else if (rows.length === 0) say("There are no tokens of people; make one with nexus-server token add NAME");
  else
    process.stdout.write(
      renderTable([
        ["NAME", "ROLE", "CREATED", "EXPIRES", ...(tokens.value.some(({ limits }) => limits) ? ["LIMITS"] : [])],
        ...rows,
      ]),
    );
  return DONE;
};

const revoke = (serverDir: string, name: string | undefined): Outcome => {
  if (name === undefined) return failUsage(`whose token? Its usage is: ${USAGE}`);
  const revoked = convertProblem(revokeToken(serverDir, name));
  if (revoked.ok) say(`The token of ${name} is refused from now on.`);
  return revoked.ok ? DONE : revoked;
};

const rotate = (serverDir: string, apiToken: string | null): Outcome => {
  if (apiToken !== null) return fail("the token is the setting api_token: change it there");
  const token = convertProblem(rotateToken(serverDir));
  if (!token.ok) return token;
  process.stdout.write(`${token.value}\n`);
  say("This is shown only once; the old token is refused from now on.");
  return DONE;
};

const act = (serverDir: string, apiToken: string | null, { flags, words: [action, name] }: Invocation): Outcome => {
  if (action === undefined && readSwitch(flags, "rotate")) return rotate(serverDir, apiToken);
  if (action === undefined)
    return failUsage(`a token is kept as its digest and can't be shown; its usage is: ${USAGE}`);
  if (readSwitch(flags, "rotate"))
    return failUsage(`--rotate stands alone, without ${escapeText(action)}; its usage is: ${USAGE}`);
  if (action === "add") return add(serverDir, flags, name);
  if (action === "revoke") return revoke(serverDir, name);
  if (action !== "list") return refuseWord(CALLED, action, ACTIONS);
  if (name === undefined) return list(serverDir, flags);
  return failUsage(`${CALLED} list does not take "${escapeText(name)}"; its usage is: ${USAGE}`);
};

const note = (serverDir: string, by: string, { flags, words: [action = "rotate", name] }: Invocation): void => {
  if (action === "list") return;
  const { role, expires, gpus, queued, "gpu-hours": gpu_hours } = flags;
  const limits = { gpus, queued, gpu_hours };
  const noted = noteTokenChange(serverDir, { change: action, name, role, expires, ...limits, by });
  if (!noted.ok) say(`Warning: ${noted.error.message}`);
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const settings = convertProblem(loadSettings(invocation.flags));
  if (!settings.ok) return settings;
  const { serverDir, apiToken } = settings.value;
  const operator = nameOperator();
  becomeOwner(serverDir);
  const done = act(serverDir, apiToken, invocation);
  if (done.ok) note(serverDir, operator, invocation);
  return done;
};

export const verb: Verb = {
  name: "token",
  usage: USAGE,
  summary: "who may use this server from elsewhere",
  flags: [
    {
      long: "role",
      value: "ROLE",
      help: "add NAME: viewer (looks), agent (a user with limits), user (the default) or admin",
    },
    { long: "expires", value: "WHEN", help: "add NAME: 30d, 12h or 2027-01-31 (default: never)" },
    ...LIMIT_FLAGS,
    { long: "json", help: "list: as JSON" },
    { long: "rotate", help: "a new token that names nobody; the old one is refused" },
  ],
  maxWords: 2,
  examples: [
    "sudo nexus-server token add ann",
    "sudo nexus-server token add eve --role viewer --expires 30d",
    "sudo nexus-server token add claude --role agent --gpus 2 --gpu-hours 16",
    "sudo nexus-server token list",
    "sudo nexus-server token --rotate",
  ],
  run,
};
