import type { Courier, Couriers } from "../core/courier.ts";
import type { NotifyChannel } from "../core/notify-settings.ts";
import type { Clock } from "../core/ports.ts";
import { createEmail } from "./email.ts";
import { createNtfy } from "./ntfy.ts";
import { createSlack } from "./slack.ts";
import { createWebhook } from "./webhook.ts";

const createCourier = (channel: NotifyChannel, clock: Clock): Courier => {
  const { type, url, secret } = channel;
  switch (type) {
    case "email":
      return createEmail(channel);
    case "slack":
      return createSlack(url);
    case "webhook":
      return createWebhook(url, secret, clock);
    case "ntfy":
      return createNtfy(url, secret);
  }
};

/** One for each channel that the server's owner configured. */
export const createServerCouriers = (channels: readonly NotifyChannel[], clock: Clock): Couriers =>
  Object.fromEntries(channels.map((channel) => [channel.name, createCourier(channel, clock)]));
