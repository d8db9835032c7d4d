import type { Backlog } from "./outbox.ts";

const LONG_S = 15 * 60;

const describeTime = (time: number): string =>
  `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const describe = ({ channel, waiting, since, error }: Backlog): string => {
  const count = waiting === 1 ? "a message waits" : `${waiting} messages wait`;
  const last = error === null ? "" : ` (${error})`;
  return `${count} for the channel ${channel}, the oldest since ${describeTime(since)}${last}: see that its service answers this machine and takes what it is sent (nx notify test ${channel}); each is tried for ${channel === "phone" ? "an hour" : "a day"}`;
};

/** Of each channel whose messages have not gone out for a quarter of an hour. */
export const describeStuckMessages = (backlogs: readonly Backlog[], now: number): readonly string[] =>
  backlogs.filter(({ since }) => now - since >= LONG_S).map(describe);
