import { existsSync, readFileSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { INTEGRATION_NAMES, NOTIFICATION_NAMES, REQUIRED_ENV } from "../../wire/job-names.ts";
import { changeConfig } from "../settings/config-edit.ts";
import { type Config, locateOwn, readListOption, readSwitchOption } from "../settings/config-file.ts";
import { readEnv, setInEnv } from "../settings/env-text.ts";
import { readUserName } from "../settings/user-name.ts";
import { writePrivateFile } from "../settings/write-file.ts";

/** What `nx setup` writes; `variables` are those that are new or changed, `target` null leaves the default as it is. */
export type SetupAnswers = Readonly<{
  user: string;
  integrations: readonly string[];
  notifications: readonly string[];
  gitTags: boolean;
  variables: Readonly<Record<string, string>>;
  target: string | null;
}>;

export const SERVICES = { integrations: INTEGRATION_NAMES, notifications: NOTIFICATION_NAMES } as const;

const readText = (): string => (existsSync(locateOwn(".env")) ? readFileSync(locateOwn(".env"), "utf8") : "");

export const readOwnVariables = (): Readonly<Record<string, string>> => readEnv(readText());

/** Each variable that the chosen services need, with the service. */
export const listNeeded = (services: readonly string[]): readonly (readonly [string, string])[] =>
  Object.entries(REQUIRED_ENV).flatMap(([service, names]) =>
    services.includes(service) ? names.map((name) => [name, service] as const) : [],
  );

/** What was there before, or would hold without a file. */
export const readPresent = (config: Config): SetupAnswers => ({
  user: readUserName(config),
  integrations: readListOption(config, "default_integrations"),
  notifications: readListOption(config, "default_notifications"),
  gitTags: readSwitchOption(config, "enable_git_tag_push", false),
  variables: {},
  target: null,
});

const writeVariables = (variables: SetupAnswers["variables"]): Result<void, Failure> => {
  let text = readText();
  for (const [name, value] of Object.entries(variables)) {
    const changed = setInEnv(text, name, value);
    if (changed === null) return fail(`${name} can't be written into ${locateOwn(".env")}: use nx env edit`);
    text = changed;
  }
  return Object.keys(variables).length === 0 ? ok(undefined) : writePrivateFile(locateOwn(".env"), text);
};

export const writeAnswers = async (answers: SetupAnswers): Promise<Result<void, Failure>> => {
  const written = writeVariables(answers.variables);
  if (!written.ok) return written;
  return changeConfig({
    options: {
      user: answers.user,
      default_integrations: answers.integrations,
      default_notifications: answers.notifications,
      enable_git_tag_push: answers.gitTags,
      ...(answers.target === null ? {} : { default_target: answers.target }),
    },
  });
};
