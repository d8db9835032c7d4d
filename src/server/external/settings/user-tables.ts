import type { z } from "zod";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { ROLES, type Role } from "../../core/access/access.ts";
import { isUserName } from "../../core/access/access-token.ts";
import type { OwnLimits } from "../../core/queue/user-limits.ts";
import type { UserSettings } from "../../core/settings/settings.ts";
import type { Fields, Raw } from "./field.ts";
import { choice } from "./field-kinds.ts";
import { nameSetting, SETTINGS } from "./setting-list.ts";
import { readTable, readTables } from "./tables.ts";

type UserTable = Readonly<{
  role: Role;
  max_gpus: number | null;
  max_running: number | null;
  max_queued: number | null;
  max_priority: number | null;
  max_time: string | null;
}>;

const { maxGpus, maxRunning, maxQueued, maxPriority, maxTime } = SETTINGS;

const toOwn = <Value>({ schema, about }: Readonly<{ schema: z.ZodType<NonNullable<Value>>; about: string }>) => ({
  schema,
  about,
  fallback: null,
  otherwise: "that for all",
});

/** The keys of a table `[users.NAME]`, as they are written. */
export const LOCAL_USER = {
  role: { schema: choice(ROLES), fallback: "user", about: "what this user of the machine may do without a token" },
  max_gpus: toOwn(maxGpus),
  max_running: toOwn(maxRunning),
  max_queued: toOwn(maxQueued),
  max_priority: toOwn(maxPriority),
  max_time: toOwn(maxTime),
} satisfies Fields<UserTable>;

const KEYS = ["maxGpus", "maxRunning", "maxQueued", "maxPriority", "maxTime"] as const;

const nameLimits = (limits: Raw): OwnLimits =>
  Object.fromEntries(KEYS.map((key) => [key, limits[nameSetting(key)]]).filter(([, value]) => value !== null));

const readUser = (name: string, raw: unknown): Result<UserSettings, Problem> => {
  if (!isUserName(name)) return err({ message: `users.${JSON.stringify(name)} is not the name of a user` });
  const user = readTable<UserTable>(LOCAL_USER, raw);
  if (!user.ok) return err({ message: `users.${name}: ${user.error}` });
  const { role, ...limits } = user.value;
  return ok({ name, role, ...nameLimits(limits) });
};

/** The tables `[users.NAME]` of the configuration file. */
export const readUsers = (raw: unknown): Result<readonly UserSettings[], Problem> =>
  readTables({ name: "users", example: "ann" }, raw, readUser);
