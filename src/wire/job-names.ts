export const INTEGRATION_NAMES = ["wandb", "nullpointer"] as const;
export const NOTIFICATION_NAMES = ["discord", "phone"] as const;

/** The variables that a job's environment must have for an integration or a notification. */
export const REQUIRED_ENV: Readonly<
  Record<(typeof INTEGRATION_NAMES)[number] | (typeof NOTIFICATION_NAMES)[number], readonly string[]>
> = {
  wandb: ["WANDB_API_KEY", "WANDB_ENTITY"],
  nullpointer: [],
  discord: ["DISCORD_USER_ID", "DISCORD_WEBHOOK_URL"],
  phone: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER", "PHONE_TO_NUMBER"],
};
