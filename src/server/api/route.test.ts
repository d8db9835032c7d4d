import { expect, expectTypeOf, test } from "bun:test";
import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { createHarness } from "../../../tests/support/api.ts";
import { err, ok } from "../../base/result.ts";
import { createRefusal } from "../core/refusal.ts";
import type { AppEnv } from "./context.ts";
import { jsonBody } from "./http/json-body.ts";
import { defineRoute, type Route, type RouteInput, type RouteSpec } from "./route.ts";

const count = z.preprocess((text) => (text === "" ? text : Number(text)), z.int());
const noName = createRefusal("NOT_FOUND", "That is no name");

const spec = {
  method: "post",
  path: "/{name}/{count}",
  params: { name: { schema: z.string().regex(/^[a-z]+$/), refuse: () => noName }, count: { schema: count } },
  query: z.object({ limit: z.preprocess((values) => Number([values].flat().at(-1)), z.int()) }),
  headers: z.object({ "x-mark": z.string().optional() }),
  body: jsonBody(z.object({ tags: z.array(z.string()).default([]) })),
  responses: {},
} satisfies RouteSpec;

const echo = defineRoute(spec, ({ params, query, headers, body }) => {
  expectTypeOf(params).toEqualTypeOf<{ readonly name: string; readonly count: number }>();
  expectTypeOf(query.limit).toEqualTypeOf<number>();
  expectTypeOf(headers["x-mark"]).toEqualTypeOf<string | undefined>();
  expectTypeOf(body.tags).toEqualTypeOf<string[]>();
  return ok(Response.json({ params, query, headers, body }));
});

const ask = async (route: Route, path: string, init: RequestInit = {}): Promise<unknown> => {
  const app = new OpenAPIHono<AppEnv>();
  app.all("/:name/:count", async (request) => {
    const answered = await route.answer(request, 1);
    return answered.ok ? answered.value : Response.json(answered.error);
  });
  return (await app.request(path, { method: "POST", ...init })).json();
};

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json", "x-mark": "m" },
});

test("a handler gets what its spec names, as the schemas make it", async () => {
  expect(await ask(echo, "/ann/7?limit=1&limit=2", json({ other: 1 }))).toEqual({
    params: { name: "ann", count: 7 },
    query: { limit: 2 },
    headers: { "x-mark": "m" },
    body: { tags: [] },
  });
});

test.each([
  ["/A/x", json({ tags: 1 }), { code: "VALIDATION_ERROR", detail: [{ loc: ["query", "limit"] }] }],
  ["/A/x?limit=1", json({ tags: 1 }), { code: "VALIDATION_ERROR", detail: [{ loc: ["body", "tags"] }] }],
  ["/A/x?limit=1", {}, { code: "UNSUPPORTED_MEDIA_TYPE" }],
  ["/A/x?limit=1", json({}), noName],
  ["/a/x?limit=1", json({}), { code: "VALIDATION_ERROR", detail: [{ loc: ["path", "count"] }] }],
])("%s is refused for its query first, then for its body, then for its path", async (path, init, refusal) => {
  expect(await ask(echo, path, init)).toMatchObject(refusal);
});

test("what a spec does not name is not there for its handler", async () => {
  const bare = { method: "get", path: "/", responses: {} } satisfies RouteSpec;
  type Bare = RouteInput<typeof bare>;
  expectTypeOf<Bare["query"]>().toEqualTypeOf<undefined>();
  expectTypeOf<Bare["body"]>().toEqualTypeOf<undefined>();
  const route = defineRoute(bare, ({ params, query, headers, body }) =>
    ok(Response.json([params, query, headers, body].map((part) => part ?? null))),
  );
  expect(await ask(route, "/a/1?limit=x", json("{"))).toEqual([{}, null, null, null]);
});

test("a refusal of the handler is the route's answer", async () => {
  const route = defineRoute(spec, () => err(noName));
  expect(await ask(route, "/a/1?limit=1", json({}))).toEqual(noName);
});

test("who may not is told so before the request is read", async () => {
  const harness = createHarness();
  const headers = { authorization: `Bearer ${harness.addToken("vera", "viewer")}` };
  const response = await harness.call("PATCH", "/v1/jobs/NONE", { body: "{", headers, peer: "10.1.2.3" });
  expect([response.status, await response.json()]).toMatchObject([403, { error: "FORBIDDEN" }]);
});
