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
import { readList, readText } from "../../command-line/flag-values.ts";
import { FAILED, fail, failUsage } from "../../command-line/usage.ts";
import type { NotificationTestResult } from "../../wire/notification-test.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { collectEnvironment } from "../settings/environment-files.ts";
import { green, hint, print, red } from "../terminal/output.ts";

const NEEDED = /^(?:DISCORD|TWILIO|PHONE)_/;

const collectNeeded = (flags: FlagValues): Result<Readonly<Record<string, string>>, Failure> => {
  const env = collectEnvironment(readList(flags, "env"), readText(flags, "env-file"));
  return env.ok ? ok(Object.fromEntries(Object.entries(env.value).filter(([name]) => NEEDED.test(name)))) : env;
};

const describeResult = ({ channel, delivered, message, reference, seconds }: NotificationTestResult): string => {
  const told = delivered ? (reference ?? "it was taken") : (message ?? "no answer");
  const mark = delivered ? green("delivered") : red("failed");
  return `${escapeText(channel)}: ${mark} after ${seconds.toFixed(1)} s: ${escapeText(told)}`;
};

const show = (results: readonly NotificationTestResult[]): void => {
  for (const result of results) print(describeResult(result));
  if (results.length === 0) hint("The server names no channels; try: nx notify test discord");
};

const conclude = (results: readonly NotificationTestResult[], flags: FlagValues): Outcome => {
  const lost = results.filter(({ delivered }) => !delivered);
  if (lost.length === 0) return DONE;
  return wantsJson(flags) ? fail(`${lost.length} of ${results.length} messages were not delivered`) : ok(FAILED);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [action, channel = null] = words;
  if (action !== "test") return failUsage("nx notify takes test", "for example: nx notify test discord");
  const env = collectNeeded(flags);
  if (!env.ok) return env;
  const api = await connect(flags);
  if (!api.ok) return api;
  const body = { channel, env: env.value };
  const tested = await api.value.send<readonly NotificationTestResult[]>("POST", "/v1/notifications/test", body);
  if (!tested.ok) return tested;
  if (wantsJson(flags)) printRows(tested.value, flags);
  else show(tested.value);
  return conclude(tested.value, flags);
};

export const verb: Verb = listRows({
  name: "notify",
  usage: "nx notify test [channel]",
  summary: "send a message now, and show what came back",
  flags: [
    { long: "env", short: "e", value: "K=V", many: true, help: "a variable that the channel needs (again for more)" },
    { long: "env-file", value: "FILE", help: "variables from a file" },
    { long: "json", help: "as JSON" },
  ],
  maxWords: 2,
  examples: ["nx notify test", "nx notify test discord"],
  run,
});
