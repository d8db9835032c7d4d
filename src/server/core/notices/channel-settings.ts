/** The events that a channel of the server may be told of. */
export const NOTIFY_EVENTS = ["started", "completed", "failed", "killed", "unhealthy", "recovered"] as const;
export const NOTIFY_TYPES = ["slack", "webhook", "ntfy", "email"] as const;

export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];
export type NotifyType = (typeof NOTIFY_TYPES)[number];

/**
 * A channel of the server. `url` is where messages go: for e-mail `smtp://user:password@host:port`. `secret` signs a
 * webhook's messages or is ntfy's token. Without `users` it hears of everyone's jobs. With `digest` a batch is one message.
 */
export type NotifyChannel = Readonly<{
  name: string;
  type: NotifyType;
  url: string;
  secret: string | null;
  from: string | null;
  to: readonly string[];
  events: readonly NotifyEvent[];
  users: readonly string[];
  digest: boolean;
}>;
