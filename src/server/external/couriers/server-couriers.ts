import type { Clock } from "../../core/clock.ts";
import type { NotifyChannel } from "../../core/notices/channel-settings.ts";
import type { Courier, Couriers } from "../../core/notices/courier.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { createDiscord } from "./discord.ts";
import { createEmail } from "./email.ts";
import { createNtfy } from "./ntfy.ts";
import { createNullpointer } from "./nullpointer.ts";
import { createSlack } from "./slack.ts";
import { createTwilio } from "./twilio.ts";
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

export const createCouriers = ({ nullpointerUrl, twilioUrl, notify }: Settings, clock: Clock): Couriers => ({
  ...createServerCouriers(notify, clock),
  discord: createDiscord(),
  nullpointer: createNullpointer(nullpointerUrl),
  phone: createTwilio(twilioUrl),
});
