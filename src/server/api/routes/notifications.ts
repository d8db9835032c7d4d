import { z } from "zod";
import {
  type NotificationTest,
  type NotificationTestResult,
  notificationTestResultSchema,
  notificationTestSchema,
} from "../../../wire/notification-test.ts";
import type { Courier } from "../../core/notices/courier.ts";
import { createTestParcel } from "../../core/notices/test-notice.ts";
import { createRefusal } from "../../core/refusal.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { readJson } from "../http/read-json.ts";
import { describeBody, describeErrors, describeJson, type Route, type RouteSpec } from "../route.ts";

const TIMEOUT_MS = 10_000;

const spec: RouteSpec = {
  method: "post",
  path: "/v1/notifications/test",
  tags: ["server"],
  summary: "Send a message now, to see whether a channel works",
  request: { body: describeBody(notificationTestSchema) },
  responses: {
    200: describeJson("What came of it, for each channel", z.array(notificationTestResultSchema)),
    ...describeErrors("NOT_FOUND", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR"),
  },
};

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

const refuseUnknown = ({ couriers }: ApiContext, channel: string): Response =>
  respondRefusal(
    createRefusal("NOT_FOUND", `There is no channel ${channel}; there are: ${Object.keys(couriers).join(", ")}`),
  );

export const createNotificationRoute = (context: ApiContext): Route => ({
  spec,
  asks: "contribute",
  handle: async (request: AppRequest): Promise<Response> => {
    const asked = await readJson(request.req.raw, context.settings.limits.bodyTimeout, notificationTestSchema);
    if (!asked.ok) return respondRefusal(asked.error);
    const { channel = null, env } = asked.value;
    const chosen = chooseChannels(context, channel);
    if (channel !== null && chosen.length === 0) return refuseUnknown(context, channel);
    const couriers = Object.entries(context.couriers).filter(([name]) => chosen.includes(name));
    return Response.json(await Promise.all(couriers.map((courier) => tryChannel(context, courier, env))));
  },
});
