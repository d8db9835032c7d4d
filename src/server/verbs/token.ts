import { err, ok, type Result } from "../../base/result.ts";
import { digestText, drawToken } from "../../tools/digest.ts";
import { ROLES, type Role } from "../core/access/access.ts";
import { type AccessToken, isExpired, isUserName } from "../core/access/access-token.ts";
import { parseExpiry } from "../core/access/expiry.ts";
import { nameOperator, noteTokenChange } from "../external/access/token-log.ts";
import { type Flags, loadSettings } from "../external/settings/load-settings.ts";
import { addToken, listTokens, revokeToken } from "../external/sqlite/beside-server/tokens.ts";
import type { Mistake, ServerCall, ServerVerb } from "../server-verb.ts";
import { becomeOwner } from "./become-owner.ts";
import { rotateToken } from "./rotate-token.ts";

type Done = Result<number, Mistake>;

const USAGE = "nexus-server token add NAME [--role ROLE] [--expires WHEN], list, revoke NAME, or --rotate";
const NAME_RULE = "a name is 1 to 64 characters, without blanks around it and without line breaks";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const refuse = (message: string): Result<never, Mistake> => err({ message, isUsage: true });

const readRole = ({ role = "user" }: Flags): Result<Role, Mistake> => {
  const known = ROLES.find((one) => one === role);
  return known === undefined ? refuse(`${JSON.stringify(role)} is no role: there are ${ROLES.join(", ")}`) : ok(known);
};

const readExpiry = ({ expires }: Flags, now: number): Result<number | null, Mistake> => {
  if (typeof expires !== "string") return ok(null);
  const time = parseExpiry(expires, now);
  return time.ok ? time : refuse(time.error.message);
};

const describeTime = (time: number): string =>
  `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const describeEnd = (expiresAt: number | null): string =>
  expiresAt === null ? "until it is revoked" : `until ${describeTime(expiresAt)}`;

const planToken = (flags: Flags, name: string | undefined): Result<AccessToken, Mistake> => {
  if (name === undefined) return refuse(`whose token? The usage is: ${USAGE}`);
  if (!isUserName(name) || name !== name.trim()) return refuse(`${JSON.stringify(name)} can't be a name: ${NAME_RULE}`);
  const role = readRole(flags);
  if (!role.ok) return role;
  const createdAt = Date.now() / 1000;
  const expiresAt = readExpiry(flags, createdAt);
  return expiresAt.ok ? ok({ name, role: role.value, createdAt, expiresAt: expiresAt.value }) : expiresAt;
};

const add = (serverDir: string, flags: Flags, name: string | undefined): Done => {
  const planned = planToken(flags, name);
  if (!planned.ok) return planned;
  const token = drawToken();
  const added = addToken(serverDir, { ...planned.value, digest: digestText(token) });
  if (!added.ok) return added;
  process.stdout.write(`${token}\n`);
  const { role, expiresAt } = planned.value;
  say(
    `This is shown only once. It makes its holder ${planned.value.name}, in the role ${role}, ${describeEnd(expiresAt)}.`,
  );
  return ok(0);
};

const describeRow = (now: number, token: AccessToken): readonly string[] => [
  token.name,
  token.role,
  describeTime(token.createdAt),
  token.expiresAt === null ? "never" : `${describeTime(token.expiresAt)}${isExpired(token, now) ? " (expired)" : ""}`,
];

const renderTable = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
};

const toJson = ({ name, role, createdAt, expiresAt }: AccessToken) => ({
  name,
  role,
  created_at: createdAt,
  expires_at: expiresAt,
});

const list = (serverDir: string, flags: Flags): Done => {
  const tokens = listTokens(serverDir);
  if (!tokens.ok) return tokens;
  const now = Date.now() / 1000;
  const rows = tokens.value.map((token) => describeRow(now, token));
  if (flags["json"] === true) process.stdout.write(`${JSON.stringify(tokens.value.map(toJson), null, 2)}\n`);
  else if (rows.length === 0) say("There are no tokens of people; make one with nexus-server token add NAME");
  else process.stdout.write(renderTable([["NAME", "ROLE", "CREATED", "EXPIRES"], ...rows]));
  return ok(0);
};

const revoke = (serverDir: string, name: string | undefined): Done => {
  if (name === undefined) return refuse(`whose token? The usage is: ${USAGE}`);
  const revoked = revokeToken(serverDir, name);
  if (revoked.ok) say(`The token of ${name} is refused from now on.`);
  return revoked.ok ? ok(0) : revoked;
};

const rotate = (serverDir: string, apiToken: string | null): Done => {
  if (apiToken !== null) return err({ message: "the token is the setting api_token: change it there" });
  const token = rotateToken(serverDir);
  if (!token.ok) return token;
  process.stdout.write(`${token.value}\n`);
  say("This is shown only once; the old token is refused from now on.");
  return ok(0);
};

const act = (serverDir: string, apiToken: string | null, { flags, words: [action, name] }: ServerCall): Done => {
  if (flags["rotate"] === true && action === undefined) return rotate(serverDir, apiToken);
  if (action === "add") return add(serverDir, flags, name);
  if (action === "list" && name === undefined) return list(serverDir, flags);
  if (action === "revoke") return revoke(serverDir, name);
  return refuse(`a token is kept as its digest and can't be shown; the usage is: ${USAGE}`);
};

const note = (serverDir: string, by: string, { flags, words: [action = "rotate", name] }: ServerCall): void => {
  if (action === "list") return;
  const { role, expires } = flags;
  const noted = noteTokenChange(serverDir, { change: action, name, role, expires, by });
  if (!noted.ok) say(`Warning: ${noted.error.message}`);
};

export const runToken: ServerVerb["run"] = async (call) => {
  const settings = loadSettings(call.flags);
  if (!settings.ok) return settings;
  const { serverDir, apiToken } = settings.value;
  const operator = nameOperator();
  becomeOwner(serverDir);
  const done = act(serverDir, apiToken, call);
  if (done.ok) note(serverDir, operator, call);
  return done;
};
