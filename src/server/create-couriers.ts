import type { Settings } from "./core/config.ts";
import type { Couriers } from "./core/courier.ts";
import type { Clock } from "./core/ports.ts";
import { createDiscord } from "./external/discord.ts";
import { createNullpointer } from "./external/nullpointer.ts";
import { createServerCouriers } from "./external/server-couriers.ts";
import { createTwilio } from "./external/twilio.ts";

export const createCouriers = ({ nullpointerUrl, twilioUrl, notify }: Settings, clock: Clock): Couriers => ({
  ...createServerCouriers(notify, clock),
  discord: createDiscord(),
  nullpointer: createNullpointer(nullpointerUrl),
  phone: createTwilio(twilioUrl),
});
