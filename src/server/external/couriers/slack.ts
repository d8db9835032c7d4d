import type { Courier } from "../../core/notices/courier.ts";
import { describeNotice, quoteLog, titleNotice } from "../../core/notices/notice-text.ts";
import { clipEnd, clipStart } from "../../core/notices/plain-text.ts";
import { readNoticeFacts } from "./notice-facts.ts";
import { sendRequest } from "./send-request.ts";

const MAX_FACTS = 2000;
const MAX_LOG = 1800;

const escapeMarks = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const quote = (log: string): string =>
  log === "" ? "" : `\n\`\`\`\n${escapeMarks(clipStart(log.replaceAll("```", "'''"), MAX_LOG))}\n\`\`\``;

/**
 * An incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Escaped as
 * https://docs.slack.dev/messaging/formatting-message-text asks, so that no text of a job can mention anyone.
 */
export const createSlack = (url: string): Courier => ({
  deliver: async (parcel, signal) => {
    const facts = await readNoticeFacts(parcel);
    const text = `*${escapeMarks(titleNotice(facts))}*\n${escapeMarks(clipEnd(describeNotice(facts), MAX_FACTS))}`;
    const body = JSON.stringify({ text: text + quote(quoteLog(facts)) });
    const answer = await sendRequest(
      { name: "Slack", url, headers: { "content-type": "application/json" }, body },
      signal,
    );
    return answer.ok ? { ok: true, value: { reference: null } } : answer;
  },
});
