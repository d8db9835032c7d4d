import { confirm, intro, isCancel, multiselect, outro, password, select, text } from "@clack/prompts";
import { err, ok, type Result } from "../../base/result.ts";
import { isCredentialName } from "../../base/secret-names.ts";
import type { Failure } from "../../command-line/command.ts";
import { INTERRUPTED, phraseFailure } from "../../command-line/usage.ts";
import type { Config } from "../settings/config-file.ts";
import { LOCAL, listEntries } from "../targets/target.ts";
import { checkTargetName, parseTargetUrl } from "../targets/target-url.ts";
import { listNeeded, readOwnVariables, readPresent, SERVICES, type SetupAnswers } from "./setup-answers.ts";

/** `added` is a server that is still to be added as a target. */
export type WizardResult = Readonly<{ answers: SetupAnswers; added: Readonly<{ name: string; url: string }> | null }>;

type Asked<Value> = Result<Value, Failure>;

const CANCELLED: Failure = { exitCode: INTERRUPTED, message: "interrupted; nothing was changed" };
const ANOTHER = " another";
const output = process.stderr;

const ABOUT: Readonly<Record<string, string>> = {
  wandb: "shows each job's Weights & Biases page",
  nullpointer: "uploads the log for messages to link to",
  discord: "a message when a job starts and ends",
  phone: "a call when a job ends",
};

const readAnswer = <Value>(answer: Value): Asked<Exclude<Value, symbol>> =>
  isCancel(answer) ? err(CANCELLED) : ok(answer as Exclude<Value, symbol>);

const askText = async (
  message: string,
  initialValue: string,
  check: (value: string) => string | undefined = (value) =>
    value.trim() === "" ? "Something is needed here" : undefined,
): Promise<Asked<string>> =>
  readAnswer(await text({ message, initialValue, output, validate: (value) => check(value ?? "") }));

const askServices = async (
  message: string,
  kind: keyof typeof SERVICES,
  present: readonly string[],
): Promise<Asked<readonly string[]>> => {
  const names: readonly string[] = SERVICES[kind];
  const options = names.map((value) => ({ value, label: value, hint: ABOUT[value] ?? "" }));
  const initialValues = names.filter((name) => present.includes(name));
  return readAnswer(await multiselect({ message, options, initialValues, required: false, output }));
};

const askVariable = async (name: string, service: string, present: string | undefined): Promise<Asked<string>> => {
  if (!isCredentialName(name)) return askText(`${name} (for ${service})`, present ?? "");
  const message = `${name} (for ${service}, not shown${present === undefined ? "" : "; empty keeps the present one"})`;
  const validate = (value: string | undefined): string | undefined =>
    value || present !== undefined ? undefined : "Something is needed here";
  const answer = readAnswer(await password({ message, mask: "", output, validate }));
  return answer.ok ? ok(answer.value || (present ?? "")) : answer;
};

const askVariables = async (services: readonly string[]): Promise<Asked<Readonly<Record<string, string>>>> => {
  const own = readOwnVariables();
  const changed: Record<string, string> = {};
  for (const [name, service] of listNeeded(services)) {
    const value = await askVariable(name, service, own[name] ?? process.env[name]);
    if (!value.ok) return value;
    if (value.value !== own[name]) changed[name] = value.value;
  }
  return ok(changed);
};

const explain = (result: Result<unknown, Failure>): string | undefined =>
  result.ok ? undefined : phraseFailure(result.error);

const askServer = async (config: Config): Promise<Asked<WizardResult["added"]>> => {
  const url = await askText("Address of the server", "https://", (value) => explain(parseTargetUrl(value)));
  if (!url.ok) return url;
  const known = Object.keys(listEntries(config));
  const name = await askText("A name for it", "", (value) =>
    known.includes(value) ? "There is a target of that name already" : explain(checkTargetName(value)),
  );
  return name.ok ? ok({ name: name.value, url: url.value }) : name;
};

const askTarget = async (config: Config, isRemote: boolean): Promise<Asked<string>> => {
  if (isRemote) return ok(ANOTHER);
  const names = [LOCAL, ...Object.keys(listEntries(config))];
  const options = [
    ...names.map((value) => ({ value, label: value, hint: value === LOCAL ? "this machine" : "" })),
    { value: ANOTHER, label: "a server on another machine", hint: "asks for its address and token" },
  ];
  const initialValue = names.find((name) => name === config["default_target"]) ?? LOCAL;
  return readAnswer(await select({ message: "Where should your jobs run?", options, initialValue, output }));
};

const askWhere = async (
  config: Config,
  isRemote: boolean,
): Promise<Asked<Pick<WizardResult, "added"> & Pick<SetupAnswers, "target">>> => {
  const target = await askTarget(config, isRemote);
  if (!target.ok) return target;
  if (target.value !== ANOTHER) return ok({ added: null, target: target.value });
  const added = await askServer(config);
  return added.ok ? ok({ added: added.value, target: added.value?.name ?? null }) : added;
};

const askServicesAndVariables = async (
  present: SetupAnswers,
): Promise<Asked<Pick<SetupAnswers, "integrations" | "notifications" | "variables">>> => {
  const integrations = await askServices("Use with every job", "integrations", present.integrations);
  if (!integrations.ok) return integrations;
  const notifications = await askServices("Tell me by", "notifications", present.notifications);
  if (!notifications.ok) return notifications;
  const variables = await askVariables([...integrations.value, ...notifications.value]);
  if (!variables.ok) return variables;
  return ok({ integrations: integrations.value, notifications: notifications.value, variables: variables.value });
};

/** Asks, and writes nothing. What is there already is each question's first answer. */
export const runWizard = async (config: Config, isRemote: boolean): Promise<Asked<WizardResult>> => {
  const present = readPresent(config);
  intro("nx setup", { output });
  const user = await askText("Your name on jobs", present.user);
  if (!user.ok) return user;
  const services = await askServicesAndVariables(present);
  if (!services.ok) return services;
  const gitTags = readAnswer(
    await confirm({ message: "Push a git tag for each job?", initialValue: present.gitTags, output }),
  );
  if (!gitTags.ok) return gitTags;
  const where = await askWhere(config, isRemote);
  if (!where.ok) return where;
  const { added, target } = where.value;
  outro("That is all.", { output });
  return ok({ answers: { user: user.value, ...services.value, gitTags: gitTags.value, target }, added });
};
