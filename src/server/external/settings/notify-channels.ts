import { z } from "zod";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { NOTIFY_EVENTS, NOTIFY_TYPES, type NotifyChannel } from "../../core/notices/channel-settings.ts";
import { JOB_CHANNELS } from "../../core/notices/channels.ts";
import type { Fields } from "./field.ts";
import { choice, TEXT } from "./field-kinds.ts";
import { readTable, readTables } from "./tables.ts";

type Channel = Omit<NotifyChannel, "name">;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const OF_JOBS = JOB_CHANNELS.map(({ name }) => name);

const texts = z.array(z.string().min(1));
const mails = (least: number) =>
  z.preprocess((raw) => (typeof raw === "string" ? [raw] : raw), texts.min(least)).describe("be e-mail addresses");
const mail = z.string().regex(/\S/).describe("be an e-mail address");
const webUrl = z.string().regex(/^https?:\/\/\S+$/);
const mailUrl = z.string().regex(/^smtps?:\/\/\S+$/);

/** The keys of a table `[notify.NAME]`. */
export const CHANNEL = {
  type: { schema: choice(NOTIFY_TYPES), about: "what takes the messages" },
  url: {
    schema: webUrl.describe("begin with https:// or http://"),
    about: "where messages go; of e-mail smtp:// or smtps://user:password@host:port",
  },
  secret: { schema: TEXT, fallback: null, about: "what a webhook is signed with; ntfy's access token" },
  from: { schema: mail, fallback: null, about: "whom an e-mail is from; e-mail needs it" },
  to: { schema: mails(0), fallback: [], about: "whom it is for; e-mail needs it" },
  events: {
    schema: z.array(z.enum(NOTIFY_EVENTS)).describe(`be a list of ${NOTIFY_EVENTS.join(", ")}`),
    fallback: NOTIFY_EVENTS.filter((event) => event !== "started"),
    otherwise: "all but started",
    about: "what it is told of: of jobs, and that the machine is unhealthy or has recovered",
  },
  users: {
    schema: texts.describe("be a list of names"),
    fallback: [],
    otherwise: "everyone",
    about: "whose jobs; with it, nothing of the machine",
  },
  digest: {
    schema: z.boolean().describe("be true or false"),
    fallback: false,
    about: "jobs that were submitted together (a sweep) are one message, when the last has ended",
  },
} satisfies Fields<Channel>;

const EMAIL: Fields<Channel> = {
  ...CHANNEL,
  url: { ...CHANNEL.url, schema: mailUrl.describe("begin with smtp:// or smtps://") },
  from: { schema: mail, about: CHANNEL.from.about },
  to: { schema: mails(1), about: CHANNEL.to.about },
};

const chooseFields = (raw: unknown): Fields<Channel> =>
  z.object({ type: z.literal("email") }).safeParse(raw).success ? EMAIL : CHANNEL;

const readChannel = (name: string, raw: unknown): Result<NotifyChannel, Problem> => {
  if (!NAME.test(name) || OF_JOBS.includes(name)) {
    const message = `notify.${name} is not allowed: a name is a-z, 0-9 and -, and not ${OF_JOBS.join(", ")}`;
    return err({ message });
  }
  const channel = readTable(chooseFields(raw), raw);
  return channel.ok ? ok({ name, ...channel.value }) : err({ message: `notify.${name}: ${channel.error}` });
};

/** The tables `[notify.NAME]` of the configuration file. */
export const readChannels = (raw: unknown): Result<readonly NotifyChannel[], Problem> =>
  readTables({ name: "notify", example: "team" }, raw, readChannel);
