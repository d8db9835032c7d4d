import { describe, expect, test } from "bun:test";
import { readChannels } from "./notify-channels.ts";

const slack = { type: "slack", url: "https://hooks.slack.com/services/T/B/x" } as const;
const email = { type: "email", url: "smtp://mail.example.org", from: "nexus@example.org", to: "ann@example.org" };

describe("a channel of the server", () => {
  test("hears of all ends of all jobs unless it says otherwise", () => {
    expect(readChannels({ team: slack })).toEqual({
      ok: true,
      value: [
        {
          name: "team",
          ...slack,
          secret: null,
          from: null,
          to: [],
          events: ["completed", "failed", "killed", "unhealthy", "recovered"],
          users: [],
          digest: false,
        },
      ],
    });
    const chosen = {
      ...email,
      events: ["failed"],
      users: ["ann"],
      digest: true,
      to: ["a@example.org", "b@example.org"],
    };
    expect(readChannels({ mail: chosen })).toMatchObject({ ok: true, value: [{ name: "mail", ...chosen }] });
    expect(readChannels({})).toEqual({ ok: true, value: [] });
  });

  test.each([
    [{ discord: slack }, "notify.discord is not allowed"],
    [{ "Team A": slack }, "notify.Team A is not allowed"],
    [{ team: "x" }, "notify.team: it must be a table"],
    ["x", "notify must be tables"],
    [{ team: { ...slack, type: "fax" } }, "notify.team: type must be one of slack, webhook, ntfy, email"],
    [{ team: { ...slack, url: "smtp://x" } }, "notify.team: url must begin with https:// or http://"],
    [{ team: { ...email, url: "https://x" } }, "notify.team: url must begin with smtp:// or smtps://"],
    [{ team: { ...email, to: [], from: "" } }, "notify.team: from must be an e-mail address"],
    [{ team: { ...email, to: [] } }, "notify.team: to must be e-mail addresses"],
    [{ team: { ...email, to: [7] } }, "notify.team: to must be e-mail addresses"],
    [
      { team: { ...slack, events: ["ended"] } },
      "notify.team: events must be a list of started, completed, failed, killed",
    ],
    [{ team: { ...slack, users: "ann" } }, "notify.team: users must be a list of names"],
    [{ team: { ...slack, digest: "yes" } }, "notify.team: digest must be true or false"],
    [{ team: { ...slack, secret: "" } }, "notify.team: secret must be a text that is not empty"],
    [{ team: { ...slack, chanel: "x" } }, "notify.team: chanel is not one of type, url"],
  ])("%p is refused by name, with what is allowed", (raw, message) => {
    const parsed = readChannels(raw);
    expect(parsed.ok ? "" : parsed.error.message).toStartWith(message);
  });
});
