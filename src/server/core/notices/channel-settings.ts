import { err, ok, type Problem, type Result } from "../../../base/result.ts";

/** The events that a channel of the server may be told of. */
export const NOTIFY_EVENTS = ["started", "completed", "failed", "killed", "unhealthy", "recovered"] as const;
export const NOTIFY_TYPES = ["slack", "webhook", "ntfy", "email"] as const;

export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];
export type NotifyType = (typeof NOTIFY_TYPES)[number];

/**
 * A channel of the server. `url` is where messages go: for e-mail `smtp://user:password@host:port`. `secret` signs a
 * webhook's messages or is ntfy's token. Without `users` it hears of everyone's jobs. With `digest` a batch is one message.
 */
export type NotifyChannel = Readonly<{
  name: string;
  type: NotifyType;
  url: string;
  secret: string | null;
  from: string | null;
  to: readonly string[];
  events: readonly NotifyEvent[];
  users: readonly string[];
  digest: boolean;
}>;

type Raw = Readonly<Record<string, unknown>>;

const DEFAULT_EVENTS: readonly NotifyEvent[] = NOTIFY_EVENTS.filter((event) => event !== "started");
const OF_JOBS: ReadonlySet<string> = new Set(["discord", "phone", "nullpointer"]);
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const KEYS = ["type", "url", "secret", "from", "to", "events", "users", "digest"];

const isRecord = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");

const toTexts = (value: unknown): unknown => (typeof value === "string" ? [value] : value);

const isAbsentOr = (value: unknown, isValid: (value: unknown) => boolean): boolean =>
  value === undefined || isValid(value);

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";

const isOneOf =
  (allowed: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === "string" && allowed.includes(value);

const isAddress = (type: unknown, url: unknown): boolean =>
  typeof url === "string" && (type === "email" ? /^smtps?:\/\/\S+$/ : /^https?:\/\/\S+$/).test(url);

type Rule = readonly [isKept: boolean, allowed: string];

const checkAddresses = (raw: Raw): readonly Rule[] => {
  const isEmail = raw["type"] === "email";
  const to = toTexts(raw["to"]);
  return [
    [isOneOf(NOTIFY_TYPES)(raw["type"]), `type must be one of ${NOTIFY_TYPES.join(", ")}`],
    [
      isAddress(raw["type"], raw["url"]),
      `url must begin with ${isEmail ? "smtp:// or smtps://" : "https:// or http://"}`,
    ],
    [isEmail ? isText(raw["from"]) : isAbsentOr(raw["from"], isText), "from must be an e-mail address"],
    [isEmail ? isTexts(to) : isAbsentOr(to, isTexts), "to must be e-mail addresses"],
  ];
};

const checkChoices = (raw: Raw): readonly Rule[] => {
  const unknown = Object.keys(raw).find((key) => !KEYS.includes(key));
  const isEvents = (value: unknown): boolean => isTexts(value) && value.every(isOneOf(NOTIFY_EVENTS));
  return [
    [unknown === undefined, `${unknown} is not one of ${KEYS.join(", ")}`],
    [isAbsentOr(raw["secret"], isText), "secret must be a text that is not empty"],
    [isAbsentOr(raw["users"], isTexts), "users must be a list of names"],
    [isAbsentOr(raw["digest"], (value) => typeof value === "boolean"), "digest must be true or false"],
    [isAbsentOr(raw["events"], isEvents), `events must be a list of ${NOTIFY_EVENTS.join(", ")}`],
  ];
};

const findMistake = (raw: Raw): string | null =>
  [...checkChoices(raw), ...checkAddresses(raw)].find(([isKept]) => !isKept)?.[1] ?? null;

const createChannel = (name: string, raw: Raw): NotifyChannel => ({
  name,
  type: raw["type"] as NotifyType,
  url: String(raw["url"]),
  secret: (raw["secret"] as string | undefined) ?? null,
  from: (raw["from"] as string | undefined) ?? null,
  to: (toTexts(raw["to"]) as readonly string[] | undefined) ?? [],
  events: (raw["events"] as readonly NotifyEvent[] | undefined) ?? DEFAULT_EVENTS,
  users: (raw["users"] as readonly string[] | undefined) ?? [],
  digest: raw["digest"] === true,
});

const parseChannel = (name: string, raw: unknown): Result<NotifyChannel, Problem> => {
  if (!NAME.test(name) || OF_JOBS.has(name)) {
    const message = `notify.${name} is not allowed: a name is a-z, 0-9 and -, and not ${[...OF_JOBS].join(", ")}`;
    return err({ message });
  }
  const mistake = isRecord(raw) ? findMistake(raw) : "it must be a table";
  return mistake === null && isRecord(raw)
    ? ok(createChannel(name, raw))
    : err({ message: `notify.${name}: ${mistake}` });
};

/** The tables `[notify.NAME]` of the configuration file. */
export const parseNotify = (raw: unknown): Result<readonly NotifyChannel[], Problem> => {
  if (!isRecord(raw)) return err({ message: "notify must be tables, as in [notify.team]" });
  const channels: NotifyChannel[] = [];
  for (const [name, table] of Object.entries(raw)) {
    const channel = parseChannel(name, table);
    if (!channel.ok) return channel;
    channels.push(channel.value);
  }
  return ok(channels);
};
