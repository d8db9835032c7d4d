import { expect, test } from "bun:test";
import { createHarness } from "./api.ts";
import { holdToDocument } from "./declared-answers.ts";

const JSON_TYPE = { "content-type": "application/json" };

test.each([
  ["GET", "/v1/jobs", 418, JSON_TYPE],
  ["DELETE", "/v1/jobs/a", 200, JSON_TYPE],
  ["GET", "/v1/jobs/a/files/b/c", 200, JSON_TYPE],
  ["HEAD", "/v1/events", 200, { "content-type": "text/plain" }],
])("%s %s that answers %p of %p is a bug", async (method, path, status, headers) => {
  const { context, app } = createHarness();
  const wrong = holdToDocument({ ...app, fetch: async () => new Response(null, { status, headers }) }, context);
  const answer = wrong.fetch(new Request(`http://localhost${path}`, { method }), { address: "::1" });
  await expect(answer).rejects.toThrow(`does not say that it answers ${status}`);
});
