import { type Answer, type Received, type StandIn, startStandIn } from "./stand-in.ts";

export type Call = Readonly<{ to: string; from: string; said: string }>;

export type TwilioStandIn = StandIn & Readonly<{ calls: Call[]; env: Readonly<Record<string, string>> }>;

const SID = `AC${"0123456789abcdef".repeat(2)}`;
const TOKEN = "an auth token of twilio";
const NUMBER = /^\+[1-9]\d{6,14}$/;
const MAX_TWIML = 4000;
const MARKUP =
  /^<\?xml version="1\.0" encoding="UTF-8"\?><Response>(?:<Say>[^<>]*<\/Say>(?:<Pause length="\d+"\/>)?)+<\/Response>$/;
const LOOSE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos);)/;

const refuse = (status: number, code: number, message: string): Answer => ({
  status,
  body: JSON.stringify({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }),
});

const isKnown = ({ headers }: Received): boolean =>
  headers.get("authorization") === `Basic ${Buffer.from(`${SID}:${TOKEN}`).toString("base64")}`;

const decodeText = (twiml: string): string =>
  twiml
    .replaceAll(/<[^>]*>/g, "|")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

const findMistake = (form: URLSearchParams): Answer | null => {
  const twiml = form.get("Twiml") ?? "";
  if (!NUMBER.test(form.get("To") ?? "")) return refuse(400, 21211, "The 'To' number is not valid");
  if (!NUMBER.test(form.get("From") ?? "")) return refuse(400, 21212, "The 'From' number is not valid");
  if (twiml.length > MAX_TWIML) return refuse(400, 21624, "Twiml is too long");
  return MARKUP.test(twiml) && !LOOSE_AMPERSAND.test(twiml) ? null : refuse(400, 12100, "Document parse failure");
};

/** Calls of Twilio: https://www.twilio.com/docs/voice/api/call-resource, errors: https://www.twilio.com/docs/api/errors. */
export const startTwilio = (): TwilioStandIn => {
  const calls: Call[] = [];
  const serve = (request: Received): Answer => {
    if (!isKnown(request)) return refuse(401, 20003, "Authenticate");
    const isCall = request.method === "POST" && request.path === `/2010-04-01/Accounts/${SID}/Calls.json`;
    if (!isCall) return refuse(404, 20404, "The requested resource was not found");
    const form = new URLSearchParams(new TextDecoder().decode(request.body));
    const mistake = findMistake(form);
    if (mistake !== null) return mistake;
    const said = decodeText(form.get("Twiml") ?? "");
    calls.push({ to: form.get("To") ?? "", from: form.get("From") ?? "", said });
    const sid = `CA${String(calls.length).padStart(32, "0")}`;
    return { status: 201, body: JSON.stringify({ account_sid: SID, sid, status: "queued" }) };
  };
  const env = {
    TWILIO_ACCOUNT_SID: SID,
    TWILIO_AUTH_TOKEN: TOKEN,
    TWILIO_FROM_NUMBER: "+15005550006",
    PHONE_TO_NUMBER: "+4915112345678",
  };
  return { ...startStandIn(serve, () => refuse(429, 20429, "Too Many Requests")), calls, env };
};
