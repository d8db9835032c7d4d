import type { ServerStatus } from "../../wire/node.ts";
import { type Entry, readField, TARGET_USER, type Target } from "../targets/target.ts";

const NAME = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,64}$/u;

/** Whom the server takes the user for, whatever else is said; null for an admin without a token, who may be anybody. */
export const findKnownName = ({ token }: Pick<Target, "token">, { you }: ServerStatus): string | null =>
  you !== undefined && (token !== null || you.role !== "admin") && NAME.test(you.name) ? you.name : null;

/** What an entry is to say of it; a server that does not tell takes nothing from one with the same token. */
export const chooseUser = (
  target: Pick<Target, "token">,
  status: ServerStatus,
  before: Entry,
): Readonly<Record<string, string>> => {
  const kept = readField(before, "api_token") === target.token ? readField(before, TARGET_USER) : null;
  const user = findKnownName(target, status) ?? kept;
  return user === null ? {} : { [TARGET_USER]: user };
};
