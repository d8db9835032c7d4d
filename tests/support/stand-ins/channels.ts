import { createHmac, timingSafeEqual } from "node:crypto";
import { type Answer, type Received, type StandIn, startStandIn } from "./stand-in.ts";

const parse = ({ headers, body }: Received): Readonly<Record<string, unknown>> | null => {
  if (headers.get("content-type") !== "application/json") return null;
  try {
    return JSON.parse(new TextDecoder().decode(body)) as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
};

const OK: Answer = { status: 200, body: "ok" };

/**
 * An incoming webhook of Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. `mentions` are
 * those that Slack would make of `<!channel>` and its like.
 */
export const startSlack = (): StandIn & Readonly<{ address: string; texts: string[]; mentions: string[] }> => {
  const texts: string[] = [];
  const mentions: string[] = [];
  const path = "/services/T0/B0/token";
  const service = startStandIn((request) => {
    if (request.path !== path || request.method !== "POST") return { status: 404, body: "no_service" };
    const text = parse(request)?.["text"];
    if (typeof text !== "string") return { status: 400, body: "invalid_payload" };
    if (text === "") return { status: 400, body: "no_text" };
    if (text.length > 40_000) return { status: 400, body: "msg_too_long" };
    texts.push(text);
    mentions.push(...(text.match(/<[!@#][^>]*>/g) ?? []));
    return OK;
  });
  return { ...service, address: `${service.url}${path}`, texts, mentions };
};

export type NtfyMessage = Readonly<{
  topic: string;
  title: string;
  message: string;
  sequence_id: string;
  priority?: number;
  tags?: string[];
}>;

const refuseNtfy = (status: number, code: number, error: string): Answer => ({
  status,
  body: JSON.stringify({ code, http: status, error }),
});

const findNtfyMistake = ({ topic, message, sequence_id: sequence, priority = 3 }: NtfyMessage): Answer | null => {
  if (!/^[-_A-Za-z0-9]{1,64}$/.test(topic)) return refuseNtfy(400, 40009, "invalid topic");
  if (Buffer.byteLength(message) > 4096) return refuseNtfy(400, 40012, "message too long");
  if (!/^[-_A-Za-z0-9]{1,64}$/.test(sequence)) return refuseNtfy(400, 40049, "invalid request: sequence ID invalid");
  return priority >= 1 && priority <= 5 ? null : refuseNtfy(400, 40007, "invalid priority");
};

const MAX_JSON_BYTES = 8192;

/**
 * Publishing as JSON: https://docs.ntfy.sh/publish/#publish-as-json. At most 4096 bytes of message, and twice that of JSON
 * (server/server.go). `shown` are the notifications as a phone has them: one of the same sequence replaces the other.
 */
export const startNtfy = (
  token: string,
): StandIn & Readonly<{ address: string; published: NtfyMessage[]; shown: () => readonly NtfyMessage[] }> => {
  const published: NtfyMessage[] = [];
  const service = startStandIn(
    (request) => {
      if (request.headers.get("authorization") !== `Bearer ${token}`) return refuseNtfy(401, 40101, "unauthorized");
      if (request.body.length > MAX_JSON_BYTES) return refuseNtfy(413, 41303, "JSON body too large");
      const body = parse(request) as NtfyMessage | null;
      if (request.path !== "/" || body === null) return refuseNtfy(400, 40024, "invalid request");
      const mistake = findNtfyMistake(body);
      if (mistake !== null) return mistake;
      published.push(body);
      return { status: 200, body: JSON.stringify({ id: `m${published.length}`, event: "message" }) };
    },
    () => refuseNtfy(429, 42901, "limit reached: too many requests"),
  );
  const shown = () => [...new Map(published.map((message) => [message.sequence_id, message])).values()];
  return { ...service, address: `${service.url}/gpu-jobs`, published, shown };
};

export type WebhookEvent = Readonly<{ id: string; type: string; data: Readonly<Record<string, unknown>> }>;

/**
 * A receiver of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * checks signature and age, takes each id once.
 */
export const startWebhook = (secret: string): StandIn & Readonly<{ events: WebhookEvent[] }> => {
  const events: WebhookEvent[] = [];
  const isSigned = ({ headers, body }: Received): boolean => {
    const signed = `${headers.get("webhook-id")}.${headers.get("webhook-timestamp")}.${new TextDecoder().decode(body)}`;
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const expected = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
    const given = Buffer.from(headers.get("webhook-signature") ?? "");
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  const service = startStandIn((request) => {
    const body = parse(request);
    if (body === null || !isSigned(request)) return { status: 401, body: "bad signature" };
    const age = Math.abs(Date.now() / 1000 - Number(request.headers.get("webhook-timestamp")));
    if (age > 300) return { status: 400, body: "too old" };
    const id = request.headers.get("webhook-id") ?? "";
    const event = { id, type: String(body["type"]), data: body["data"] as WebhookEvent["data"] };
    if (!events.some((known) => known.id === id)) events.push(event);
    return { status: 204, body: "" };
  });
  return { ...service, events };
};
