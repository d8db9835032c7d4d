import type { NotifyChannel } from "./notify-settings.ts";
import type { Channel } from "./plan-notices.ts";

/** Channels that the server's owner configured: they hear of jobs that did not ask for it. */
export const createServerChannels = (channels: readonly NotifyChannel[]): readonly Channel[] =>
  channels.map(({ name, url, events, users, digest }) => ({
    name,
    isWanted: (job, event) => {
      if (users.length > 0 && !users.includes(job.user)) return false;
      const isDigested = digest && job.batchId !== undefined;
      return isDigested ? event === "batch_done" : events.some((wanted) => wanted === event);
    },
    findDestination: () => url,
  }));
