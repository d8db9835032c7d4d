import { expect, test } from "bun:test";
import { renderServerHelp, renderServerVerbHelp } from "./server-help.ts";
import { SERVER_VERBS, SETTING_FLAGS } from "./verb-table.ts";

test("the help names every verb and fits 80 columns", () => {
  const general = renderServerHelp(SERVER_VERBS, SETTING_FLAGS);
  const pages = [general, ...Object.values(SERVER_VERBS).map(renderServerVerbHelp)];
  expect(Object.keys(SERVER_VERBS).filter((name) => !general.includes(`nexus-server ${name}`))).toEqual([]);
  expect(pages.flatMap((page) => page.split("\n")).filter((line) => line.length > 80)).toEqual([]);
});
