import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import {
  type NotificationTest,
  type NotificationTestResult,
  notificationTestResultSchema,
  notificationTestSchema,
} from "../../../wire/notification-test.ts";
import type { Courier } from "../../core/notices/courier.ts";
import { createTestParcel } from "../../core/notices/test-notice.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const TIMEOUT_MS = 10_000;

const spec = {
  method: "post",
  path: "/v1/notifications/test",
  tags: ["server"],
  summary: "Send a message now, to see whether a channel works",
  asks: "contribute",
  body: jsonBody(notificationTestSchema),
  responses: {
    200: describeJson("What came of it, for each channel", z.array(notificationTestResultSchema)),
    ...describeErrors(
      "NOT_FOUND",
      "PAYLOAD_TOO_LARGE",
      "REQUEST_TIMEOUT",
      "UNSUPPORTED_MEDIA_TYPE",
      "VALIDATION_ERROR",
    ),
  },
} satisfies RouteSpec;

const tryChannel = async (
  { clock, settings }: ApiContext,
  [channel, courier]: readonly [string, Courier],
  secrets: NotificationTest["env"],
): Promise<NotificationTestResult> => {
  const startedAt = clock();
  const parcel = createTestParcel(channel, { nodeName: settings.nodeName, now: startedAt, secrets });
  const sent = await courier.deliver(parcel, AbortSignal.timeout(TIMEOUT_MS));
  return {
    channel,
    delivered: sent.ok,
    message: sent.ok ? null : sent.error.message,
    reference: sent.ok ? sent.value.reference : null,
    seconds: clock() - startedAt,
  };
};

const chooseChannels = ({ couriers, ownChannels }: ApiContext, channel: string | null): readonly string[] => {
  if (channel === null) return ownChannels;
  return Object.hasOwn(couriers, channel) ? [channel] : [];
};

const createUnknownChannel = ({ couriers }: ApiContext, channel: string): Refusal =>
  createRefusal("NOT_FOUND", `There is no channel ${channel}; there are: ${Object.keys(couriers).join(", ")}`);

export const createNotificationRoute = (context: ApiContext): Route =>
  defineRoute(spec, async ({ body: { channel = null, env } }) => {
    const chosen = chooseChannels(context, channel);
    if (channel !== null && chosen.length === 0) return err(createUnknownChannel(context, channel));
    const couriers = Object.entries(context.couriers).filter(([name]) => chosen.includes(name));
    return ok(Response.json(await Promise.all(couriers.map((courier) => tryChannel(context, courier, env)))));
  });
