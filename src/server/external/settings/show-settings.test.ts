import { expect, test } from "bun:test";
import fc from "fast-check";
import { readSettings } from "./read-settings.ts";
import { nameSetting, SETTINGS } from "./setting-list.ts";
import { showSettings } from "./show-settings.ts";

const HOST = { serverDir: "/state", hostname: "atlas", cores: 8, memoryBytes: 64 * 1024 ** 3 };

const show = (file: Readonly<Record<string, unknown>>): string => {
  const settings = readSettings({ file, env: {}, flags: {} }, HOST);
  if (!settings.ok) throw new Error(settings.error.message);
  return showSettings(settings.value);
};

test("every setting that has a value is a line of the file", () => {
  const texts = {
    socket: "/s",
    external_ip: "a",
    api_token: "a",
    ssl_keyfile: "/k",
    ssl_certfile: "/c",
    ping_host: "p",
    ...{ max_gpus: 1, max_running: 1, max_priority: 1, max_time: "2h", idle_warn: "1h", idle_end: "2h" },
  };
  const lines = show({ ...texts, port: 1, retention_gb: 1, speed_test_url: "https://a" })
    .trimEnd()
    .split("\n");
  const names = [...Object.keys(SETTINGS).map(nameSetting), "users", "notify"];
  expect(lines.map((line) => line.split(" = ")[0])).toEqual(names);
  expect(show({})).toContain('node_name = "atlas"\n');
});

test("no secret is shown: tokens, passwords in addresses, addresses of channels", () => {
  const secret = fc.stringMatching(/^Qx[A-Za-z0-9_%.-]{4,20}$/);
  fc.assert(
    fc.property(secret, (text) => {
      const file = {
        api_token: text,
        ssl_keyfile: "/etc/tls.key",
        twilio_url: `https://ada:${text}@example.org`,
        notify: {
          team: { type: "slack", url: `https://hooks.slack.com/services/${text}` },
          hook: { type: "webhook", url: `https://example.org?key=${text}`, secret: text },
          mail: { type: "email", url: `smtps://ada:${text}@box:465`, from: "a@box", to: "b@box" },
        },
      };
      expect(show(file)).not.toContain(text);
      expect(show(file)).toContain('ssl_keyfile = "/etc/tls.key"\n');
      for (const host of ["hooks.slack.com/", "example.org/", "smtps://ada:"]) expect(show(file)).toContain(host);
    }),
  );
});
