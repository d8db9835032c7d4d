import { expect, test } from "bun:test";
import { describeAllowed, listFields } from "./field.ts";
import { CHANNEL } from "./notify-channels.ts";
import { isSecretSetting, listSettingFlags, nameSetting, SETTINGS } from "./setting-list.ts";
import { LOCAL_USER } from "./user-tables.ts";

const fields = [...listFields(SETTINGS), ...listFields(CHANNEL), ...listFields(LOCAL_USER)];

test.each(fields)("$name says what it is and what is allowed, and its default is allowed", (field) => {
  expect([field.about, describeAllowed(field)]).toEqual([expect.stringMatching(/^\S/), expect.stringMatching(/^be/)]);
  if (field.fallback !== null && field.fallback !== undefined)
    expect<unknown>(field.schema.parse(field.fallback)).toEqual(field.fallback);
});

test("what is secret is known by its name; a key's file is not", () => {
  expect(Object.keys(SETTINGS).filter(isSecretSetting)).toEqual(["apiToken"]);
  expect(Object.keys(SETTINGS).map(nameSetting)).toContain("max_followers_per_address");
});

test("four settings have a flag, whose help tells the default", () => {
  expect(listSettingFlags().map(({ long, value, help }) => `--${long} ${value}: ${help}`)).toEqual([
    "--server-dir DIR: where its state is (default: ~/.local/state/nexus-server)",
    "--host ADDRESS: address to listen on (default: 127.0.0.1)",
    "--port N: port to listen on, 0 for any (default: 54323; a personal server any, if taken)",
    "--mock-gpus N: mock GPUs; auto: 2 if there is none (default: real ones)",
  ]);
});
