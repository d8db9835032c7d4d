import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createApp } from "../app.ts";

test("an upload that fails by a fault gives its seat back, and its connection may be quiet no longer", async () => {
  const { context } = createHarness();
  let isBroken = true;
  let isHeld = false;
  const begin: typeof context.store.artifacts.begin = (gitSha) => {
    if (isBroken) throw new Error("broken");
    return context.store.artifacts.begin(gitSha);
  };
  const app = createApp({ ...context, store: { ...context.store, artifacts: { ...context.store.artifacts, begin } } });
  const upload = async (): Promise<readonly [number, boolean]> => {
    const request = new Request("http://localhost/v1/artifacts", { method: "POST", body: "code" });
    request.headers.set("host", "localhost");
    const holdOpen = (isIt: boolean): void => {
      isHeld = isIt;
    };
    return [(await app.fetch(request, { address: "127.0.0.1", holdOpen })).status, isHeld];
  };
  for (let fault = 0; fault < context.settings.limits.maxUploads; fault += 1)
    expect(await upload()).toEqual([503, false]);
  isBroken = false;
  expect(await upload()).toEqual([201, false]);
});

describe("a follower has its place until its stream has ended", () => {
  const open = async () => {
    const { call, context } = createHarness();
    await call("POST", "/v1/jobs", { json: { command: "true", user: "ann", job_id: "a" } });
    let source: ReadableStreamDefaultController<Uint8Array> | undefined;
    const follow = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start: (controller) => {
          source = controller;
          controller.enqueue(new Uint8Array([1]));
        },
      });
    const limits = { ...context.settings.limits, maxFollowersPerAddress: 1 };
    const settings = { ...context.settings, limits };
    const app = createApp({ ...context, logs: { ...context.logs, follow }, settings });
    const ask = async (method = "GET"): Promise<Response> => {
      const request = new Request("http://localhost/v1/jobs/a/logs/stream", { method, headers: { host: "localhost" } });
      return app.fetch(request, { address: "127.0.0.1" });
    };
    return { ask, end: () => source?.close(), fail: () => source?.error(new Error("broken")) };
  };

  test.each(["its reader", "its source", "a fault"])("which %s ends", async (who) => {
    const { ask, end, fail } = await open();
    const reader = (await ask()).body?.getReader();
    expect((await reader?.read())?.value).toEqual(new Uint8Array([1]));
    expect((await ask()).status).toBe(429);
    if (who === "its reader") await reader?.cancel();
    if (who === "its source") end();
    if (who === "a fault") fail();
    await reader?.read().catch(() => undefined);
    expect((await ask()).status).toBe(200);
  });

  test("which was none where only its headers were asked for", async () => {
    const { ask } = await open();
    expect([(await ask("HEAD")).status, (await ask("HEAD")).status]).toEqual([200, 200]);
  });
});
