import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { ROLES } from "../../core/access/access.ts";
import { isUserName } from "../../core/access/access-token.ts";
import type { UserSettings } from "../../core/settings/settings.ts";
import type { Fields } from "./field.ts";
import { choice } from "./field-kinds.ts";
import { readTable, readTables } from "./tables.ts";

/** The keys of a table `[users.NAME]`. */
export const LOCAL_USER = {
  role: { schema: choice(ROLES), fallback: "user", about: "what this user of the machine may do without a token" },
} satisfies Fields<Omit<UserSettings, "name">>;

const readUser = (name: string, raw: unknown): Result<UserSettings, Problem> => {
  if (!isUserName(name)) return err({ message: `users.${JSON.stringify(name)} is not the name of a user` });
  const user = readTable<Omit<UserSettings, "name">>(LOCAL_USER, raw);
  return user.ok ? ok({ name, ...user.value }) : err({ message: `users.${name}: ${user.error}` });
};

/** The tables `[users.NAME]` of the configuration file. */
export const readUsers = (raw: unknown): Result<readonly UserSettings[], Problem> =>
  readTables({ name: "users", example: "ann" }, raw, readUser);
