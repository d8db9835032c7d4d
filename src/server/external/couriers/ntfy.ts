import { ok } from "../../../base/result.ts";
import { digestText } from "../../../tools/digest.ts";
import type { Courier } from "../../core/notices/courier.ts";
import type { NoticeEvent } from "../../core/notices/news.ts";
import { describeNotice, quoteLog, titleNotice } from "../../core/notices/notice-text.ts";
import { clipEnd, clipStart } from "../../core/notices/plain-text.ts";
import { nameNotice, readNoticeFacts } from "./notice-facts.ts";
import { sendRequest } from "./send-request.ts";

const SEQUENCE_ID_LENGTH = 32;
const MAX_FACTS = 800;
const MAX_LOG = 500;
const HIGH_PRIORITY = 4;
const TAGS: Readonly<Partial<Record<NoticeEvent, string>>> = {
  completed: "white_check_mark",
  failed: "rotating_light",
  killed: "stop_sign",
  unhealthy: "warning",
  recovered: "white_check_mark",
};

const splitAddress = (address: string): Readonly<{ url: string; topic: string }> => {
  const url = new URL(address);
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const topic = parts.pop() ?? "";
  return { url: `${url.origin}/${parts.join("/")}`, topic };
};

const deriveSequenceId = (name: string): string => digestText(name).slice(0, SEQUENCE_ID_LENGTH);

/**
 * Publishes to the topic that ends the address, as JSON (https://docs.ntfy.sh/publish/#publish-as-json).
 * One that is sent again replaces itself, as it has the same `sequence_id` (of at most 64 `A-Z a-z 0-9 _ -`:
 * https://docs.ntfy.sh/publish/#updating-notifications).
 */
export const createNtfy = (address: string, token: string | null): Courier => ({
  deliver: async (parcel, signal) => {
    const facts = await readNoticeFacts(parcel);
    const { url, topic } = splitAddress(address);
    const tag = TAGS[facts.event];
    const log = clipStart(quoteLog(facts), MAX_LOG);
    const body = JSON.stringify({
      topic,
      sequence_id: deriveSequenceId(nameNotice(parcel)),
      title: titleNotice(facts),
      message: [clipEnd(describeNotice(facts), MAX_FACTS), log].filter((part) => part !== "").join("\n\n"),
      ...(facts.event === "failed" ? { priority: HIGH_PRIORITY } : {}),
      ...(tag === undefined ? {} : { tags: [tag] }),
    });
    const headers = {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    const answer = await sendRequest({ name: "ntfy", url, headers, body }, signal);
    return answer.ok ? ok({ reference: null }) : answer;
  },
});
