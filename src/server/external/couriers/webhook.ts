import { createHmac } from "node:crypto";
import { ok } from "../../../base/result.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import type { Courier } from "../../core/notices/courier.ts";
import { type NoticeFacts, quoteLog, titleNotice } from "../../core/notices/notice-text.ts";
import { nameNotice, readNoticeFacts } from "./notice-facts.ts";
import { sendRequest } from "./send-request.ts";

const KEY_PREFIX = "whsec_";

const readKey = (secret: string): Buffer =>
  secret.startsWith(KEY_PREFIX) ? Buffer.from(secret.slice(KEY_PREFIX.length), "base64") : Buffer.from(secret);

const signWebhook = (
  secret: string,
  { id, timestamp, body }: Readonly<{ id: string; timestamp: number; body: string }>,
): string => `v1,${createHmac("sha256", readKey(secret)).update(`${id}.${timestamp}.${body}`).digest("base64")}`;

const describeNews = (facts: NoticeFacts) => {
  const title = titleNotice(facts);
  switch (facts.kind) {
    case "job": {
      const rest = { log_tail: quoteLog(facts), log_url: facts.logUrl, batch: null };
      return { type: `job.${facts.event}`, data: { title, job: toWireJob(facts.job), ...rest } };
    }
    case "batch": {
      const rest = { log_tail: "", log_url: facts.logUrl, batch: facts.batch };
      return { type: "batch.done", data: { title, job: toWireJob(facts.lastJob), ...rest } };
    }
    case "machine": {
      const rest = { log_tail: "", log_url: null, batch: null };
      return { type: `machine.${facts.event}`, data: { title, job: null, machine: facts.figures, ...rest } };
    }
  }
};

/**
 * Posts events, signed, as Standard Webhooks has it; the same event has the same `webhook-id`, however often it is sent.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const createWebhook = (url: string, secret: string | null, readTime: () => number): Courier => ({
  deliver: async (parcel, signal) => {
    const { type, data } = describeNews(await readNoticeFacts(parcel));
    const id = nameNotice(parcel);
    const timestamp = Math.floor(readTime());
    const body = JSON.stringify({ type, timestamp: new Date(parcel.createdAt * 1000).toISOString(), data });
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      ...(secret === null ? {} : { "webhook-signature": signWebhook(secret, { id, timestamp, body }) }),
    };
    const answer = await sendRequest({ name: "the webhook", url, headers, body }, signal);
    return answer.ok ? ok({ reference: null }) : answer;
  },
});
