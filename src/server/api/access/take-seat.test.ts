import { expect, test } from "bun:test";
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
