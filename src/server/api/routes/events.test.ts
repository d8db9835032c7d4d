import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { readFigure } from "../../../../tests/support/parse-exposition.ts";

test("who follows the events is counted until the stream ends, whoever ends it", async () => {
  const { call, context } = createHarness();
  const countFollowers = async (): Promise<number | undefined> =>
    readFigure(await (await call("GET", "/metrics")).text(), "nexus_followers", { kind: "events" });
  const follow = async () => {
    const { body } = await call("GET", "/v1/events");
    const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
    await reader.read();
    return reader;
  };
  const [leaving, staying] = [await follow(), await follow()];
  expect(await countFollowers()).toBe(2);
  await leaving.cancel();
  expect(await countFollowers()).toBe(1);
  context.feed.close();
  expect((await staying.read()).done).toBe(true);
  expect(await countFollowers()).toBe(0);
});
