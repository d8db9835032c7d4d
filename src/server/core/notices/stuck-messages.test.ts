import { expect, test } from "bun:test";
import { describeStuckMessages } from "./stuck-messages.ts";

const NOON = 1_767_268_800;

test("messages that have not gone out for a quarter of an hour are told of, with channel, number, since when, why and what to do", () => {
  const backlogs = [
    { channel: "team", waiting: 3, since: NOON, error: "HTTP 500" },
    { channel: "discord", waiting: 1, since: NOON + 1, error: "HTTP 500" },
    { channel: "phone", waiting: 1, since: NOON, error: null },
  ];
  expect(describeStuckMessages(backlogs, NOON + 900)).toEqual([
    "3 messages wait for the channel team, the oldest since 2026-01-01 12:00 UTC (HTTP 500): see that its service answers this machine and takes what it is sent (nx notify test team); each is tried for a day",
    "a message waits for the channel phone, the oldest since 2026-01-01 12:00 UTC: see that its service answers this machine and takes what it is sent (nx notify test phone); each is tried for an hour",
  ]);
  expect(describeStuckMessages(backlogs, NOON + 899)).toEqual([]);
});
