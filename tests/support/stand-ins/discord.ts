import { type Answer, type Received, type StandIn, startStandIn } from "./stand-in.ts";

type Field = Readonly<{ name: string; value: string }>;
type Embed = Readonly<{ title?: string; color?: number; description?: string; fields?: readonly Field[] }>;
export type DiscordBody = Readonly<{
  content?: string;
  embeds?: readonly Embed[];
  allowed_mentions?: Readonly<{ parse?: readonly string[]; users?: readonly string[] }>;
}>;

export type DiscordStandIn = StandIn &
  Readonly<{
    webhookUrl: string;
    messages: Map<string, DiscordBody>;
    edits: string[];
    mentions: string[];
    texts: () => readonly string[];
  }>;

const WEBHOOK = "/api/webhooks/1234567890/a-token";
const FIRST_ID = 1_000_000_000_000_000_000n;
const UNKNOWN_WEBHOOK: Answer = { status: 404, body: JSON.stringify({ message: "Unknown Webhook", code: 10015 }) };
const UNKNOWN_MESSAGE: Answer = { status: 404, body: JSON.stringify({ message: "Unknown Message", code: 10008 }) };

const INVALID_FORM: Answer = { status: 400, body: JSON.stringify({ message: "Invalid Form Body", code: 50035 }) };

const refuseTooMany = (retryAfterS: number): Answer => ({
  status: 429,
  body: JSON.stringify({ message: "You are being rate limited.", retry_after: retryAfterS, global: false }),
  headers: { "Retry-After": String(retryAfterS) },
});

const isAddressed = ({ method, path }: Received): boolean =>
  method === "PATCH" ? path.startsWith(`${WEBHOOK}/messages/`) : method === "POST" && path === WEBHOOK;

const isWithin = (text: unknown, most: number): boolean =>
  text === undefined || (typeof text === "string" && text.length <= most);

const isFieldValid = ({ name, value }: Field): boolean =>
  name.length > 0 && name.length <= 256 && value.length > 0 && value.length <= 1024;

const measure = ({ title = "", description = "", fields = [] }: Embed): number =>
  fields.reduce((sum, { name, value }) => sum + name.length + value.length, title.length + description.length);

const isEmbedValid = (embed: Embed): boolean =>
  (embed.color === undefined || (embed.color >= 0 && embed.color <= 0xffffff)) &&
  isWithin(embed.title, 256) &&
  isWithin(embed.description, 4096) &&
  (embed.fields ?? []).length <= 25 &&
  (embed.fields ?? []).every(isFieldValid);

const SNOWFLAKE = /^\d{1,20}$/;

const areMentionsValid = ({ allowed_mentions: { parse = [], users = [] } = {} }: DiscordBody): boolean =>
  parse.every((kind) => ["roles", "users", "everyone"].includes(kind)) &&
  users.length <= 100 &&
  users.every((id) => SNOWFLAKE.test(id)) &&
  !(parse.includes("users") && users.length > 0);

const isContentValid = ({ content, embeds = [] }: DiscordBody): boolean =>
  isWithin(content, 2000) &&
  (content !== undefined || embeds.length > 0) &&
  embeds.length <= 10 &&
  embeds.every(isEmbedValid) &&
  embeds.reduce((sum, embed) => sum + measure(embed), 0) <= 6000;

const isValid = (body: DiscordBody): boolean => areMentionsValid(body) && isContentValid(body);

const parse = (request: Received): DiscordBody | null => {
  if (!request.headers.get("content-type")?.startsWith("application/json")) return null;
  try {
    return JSON.parse(new TextDecoder().decode(request.body)) as DiscordBody;
  } catch {
    return null;
  }
};

const listMentions = ({ content = "", allowed_mentions: allowed }: DiscordBody): readonly string[] => {
  const named = [...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? "");
  const everyone = /@(everyone|here)/.test(content) ? ["everyone"] : [];
  if (allowed === undefined) return [...named, ...everyone];
  const users = allowed.parse?.includes("users") ? named : named.filter((id) => allowed.users?.includes(id));
  return [...users, ...(allowed.parse?.includes("everyone") ? everyone : [])];
};

/**
 * Webhooks of Discord as its documentation tells of them
 * (https://docs.discord.com/developers/resources/webhook, …/resources/message, …/topics/rate-limits).
 */
export const startDiscord = (): DiscordStandIn => {
  const messages = new Map<string, DiscordBody>();
  const edits: string[] = [];
  const mentions: string[] = [];
  const create = (request: Received, body: DiscordBody): Answer => {
    const id = String(FIRST_ID + BigInt(messages.size));
    messages.set(id, body);
    mentions.push(...listMentions(body));
    return request.query.get("wait") === "true"
      ? { status: 200, body: JSON.stringify({ id, type: 0, content: body.content, channel_id: "1" }) }
      : { status: 204, body: "" };
  };

  const edit = (id: string, body: DiscordBody): Answer => {
    if (!messages.has(id)) return UNKNOWN_MESSAGE;
    messages.set(id, body);
    edits.push(id);
    return { status: 200, body: JSON.stringify({ id }) };
  };

  const accept = (request: Received, body: DiscordBody): Answer =>
    request.method === "PATCH" ? edit(request.path.split("/").at(-1) ?? "", body) : create(request, body);

  const serve = (request: Received): Answer => {
    if (!isAddressed(request)) return UNKNOWN_WEBHOOK;
    const body = parse(request);
    return body !== null && isValid(body) ? accept(request, body) : INVALID_FORM;
  };

  const service = startStandIn(serve, refuseTooMany);
  return {
    ...service,
    webhookUrl: `${service.url}${WEBHOOK}`,
    messages,
    edits,
    mentions,
    texts: () => [...messages.values()].map(({ content }) => content ?? ""),
  };
};
