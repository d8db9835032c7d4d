import { ok, type Result } from "../../base/result.ts";
import { suggestNearest } from "../../base/suggest.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { Config } from "../settings/config-file.ts";
import { listNeeded, readOwnVariables, readPresent, SERVICES, type SetupAnswers } from "./setup-answers.ts";

const NONE = "none";

const readNames = (
  flags: FlagValues,
  kind: keyof typeof SERVICES,
  present: readonly string[],
): Result<readonly string[], Failure> => {
  const text = readText(flags, kind);
  const names = text === null ? present : text.split(",").filter((name) => name !== "" && name !== NONE);
  const known: readonly string[] = SERVICES[kind];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return ok(names);
  const nearest = suggestNearest(unknown, known);
  const advice = nearest === null ? `there are ${known.join(", ")} and ${NONE}` : `did you mean ${nearest}?`;
  return failUsage(`--${kind} does not know "${unknown}"`, advice);
};

const readGitTags = (flags: FlagValues, present: boolean): Result<boolean, Failure> => {
  const text = readText(flags, "git-tags");
  if (text === null) return ok(present);
  return ["yes", "no"].includes(text) ? ok(text === "yes") : failUsage(`--git-tags takes yes or no, not "${text}"`);
};

const findVariables = (services: readonly string[]): Result<SetupAnswers["variables"], Failure> => {
  const own = readOwnVariables();
  const needed = listNeeded(services).filter(([name]) => !Object.hasOwn(own, name));
  const missing = needed.filter(([name]) => !process.env[name]);
  if (missing.length > 0) {
    const list = missing.map(([name, service]) => `${name} (${service})`).join(", ");
    return failUsage(`these variables are needed in the environment or in ~/.nexus/.env: ${list}`);
  }
  return ok(Object.fromEntries(needed.map(([name]) => [name, process.env[name] ?? ""])));
};

/** From flags, then `NEXUS_…` variables, then what is there. */
export const readAnswers = (flags: FlagValues, config: Config): Result<SetupAnswers, Failure> => {
  const present = readPresent(config);
  const user = readText(flags, "user") ?? present.user;
  if (user.trim() === "") return failUsage("--user takes a name that is not empty");
  const integrations = readNames(flags, "integrations", present.integrations);
  if (!integrations.ok) return integrations;
  const notifications = readNames(flags, "notifications", present.notifications);
  if (!notifications.ok) return notifications;
  const gitTags = readGitTags(flags, present.gitTags);
  if (!gitTags.ok) return gitTags;
  const variables = findVariables([...integrations.value, ...notifications.value]);
  if (!variables.ok) return variables;
  const lists = { integrations: integrations.value, notifications: notifications.value };
  return ok({ user, ...lists, gitTags: gitTags.value, variables: variables.value, target: null });
};
