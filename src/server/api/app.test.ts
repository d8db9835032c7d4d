import { expect, test } from "bun:test";
import { createHarness } from "../../../tests/support/api.ts";
import { errorSchema } from "../../wire/error.ts";
import { toUnavailableError } from "../core/refusal.ts";
import { createApp } from "./app.ts";

const JSON_LIMIT = 8 * 1024 * 1024;

const readError = async (response: Response): Promise<string> => {
  const body = errorSchema.parse(await response.json());
  expect(body.status_code).toBe(response.status);
  return body.error;
};

test("an unknown route is 404 NOT_FOUND", async () => {
  const { call } = createHarness();
  for (const path of ["/", "/v1", "/v1/jobs/", "/v2/jobs", "/v1/jobs/a/b/c", "/%ZZ", "/v1/%00"]) {
    const response = await call("GET", path);
    expect([path, response.status, await readError(response)]).toEqual([path, 404, "NOT_FOUND"]);
  }
});

test.each([
  ["PUT", "/v1/jobs", "GET, HEAD, POST"],
  ["DELETE", "/v1/server/status", "GET, HEAD"],
  ["GET", "/v1/artifacts", "POST"],
  ["POST", "/v1/jobs/abc", "GET, HEAD, PATCH, DELETE"],
  ["GET", "/v1/jobs/abc/kill", "POST"],
  ["GET", "/v1/gpus/0/blacklist", "PUT, DELETE"],
  ["OPTIONS", "/v1/health", "GET, HEAD"],
])("%s %s is 405 and names what is allowed", async (method, path, allow) => {
  const response = await createHarness().call(method, path);
  expect(response.status).toBe(405);
  expect(new Set(response.headers.get("allow")?.split(", "))).toEqual(new Set(allow.split(", ")));
  expect(await readError(response)).toBe("METHOD_NOT_ALLOWED");
});

test("HEAD answers like GET, without a body", async () => {
  const { call } = createHarness();
  for (const path of ["/v1/jobs", "/v1/health", "/v1/gpus", "/docs", "/openapi.json", "/metrics"]) {
    const response = await call("HEAD", path);
    expect([path, response.status, await response.text()]).toEqual([path, 200, ""]);
  }
});

test.each(["application/x-www-form-urlencoded", "text/plain", "application/jsonp", null])(
  "a JSON route refuses the type %p",
  async (type) => {
    const { call } = createHarness();
    for (const [method, path] of [
      ["POST", "/v1/jobs"],
      ["POST", "/v1/jobs/batch"],
      ["PATCH", "/v1/jobs/abc"],
    ] as const) {
      const body = new TextEncoder().encode("{}");
      const response = await call(method, path, { body, headers: { "content-type": type } });
      expect([response.status, await readError(response)]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    }
  },
);

test("an encoded JSON body is 415", async () => {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const response = await createHarness().call("POST", "/v1/jobs", { body: "{}", headers });
  expect(response.status).toBe(415);
});

test.each(["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"])(
  "a JSON route takes the type %p",
  async (type) => {
    const body = '{"command":"true","user":"ann"}';
    const response = await createHarness().call("POST", "/v1/jobs", { body, headers: { "content-type": type } });
    expect(response.status).toBe(201);
  },
);

const chunked = (size: number): ReadableStream<Uint8Array> => {
  let left = size;
  return new ReadableStream({
    pull: (controller) => {
      const part = Math.min(left, 1 << 20);
      if (part > 0) controller.enqueue(new Uint8Array(part).fill(32));
      left -= part;
      if (left <= 0) controller.close();
    },
  });
};

test("a JSON body of more than 8 MiB is 413, declared or chunked", async () => {
  const { call } = createHarness();
  const type = { "content-type": "application/json" };
  const declared = { ...type, "content-length": String(JSON_LIMIT + 1) };
  const responses = [
    await call("POST", "/v1/jobs", { body: "{}", headers: declared }),
    await call("POST", "/v1/jobs", { body: chunked(JSON_LIMIT + 1), headers: type }),
    await call("PATCH", "/v1/jobs/abc", { body: chunked(JSON_LIMIT * 2), headers: type }),
  ];
  for (const response of responses) {
    expect([response.status, await readError(response)]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
  }
  const full = await call("POST", "/v1/jobs", { body: chunked(JSON_LIMIT), headers: type });
  expect(full.status).toBe(422);
});

test.each([
  ["", "empty"],
  ["{", "cut"],
  ["nonsense", "no JSON"],
  ["[1", "cut list"],
  ["\ud800", "lone surrogate"],
])("a body %p (%s) is 422 with a detail", async (body) => {
  const response = await createHarness().call("POST", "/v1/jobs", {
    body: new TextEncoder().encode(body),
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({
    error: "VALIDATION_ERROR",
    detail: [{ loc: ["body"], msg: expect.any(String), type: "json_invalid" }],
  });
});

test.each(["../x", "/abs/*.pt", "~/x", "!x", "a//b"])(
  "the pattern %p of a job's files is 422 and says why",
  async (glob) => {
    const response = await createHarness().call("POST", "/v1/jobs", {
      body: JSON.stringify({ command: "true", user: "ann", output_globs: [glob] }),
      headers: { "content-type": "application/json" },
    });
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining("pattern")]);
  },
);

test("bytes that are not UTF-8 are 422", async () => {
  const headers = { "content-type": "application/json" };
  const body = new Uint8Array([0x22, 0xff, 0xfe, 0x22]);
  expect((await createHarness().call("POST", "/v1/jobs", { body, headers })).status).toBe(422);
});

test("JSON nested ten thousand deep is 422, and ignored in an unknown field", async () => {
  const { call } = createHarness();
  const headers = { "content-type": "application/json" };
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  for (const body of [deep, `{"command":${deep},"user":"a"}`, `{"command":"x","user":"a","env":{"A":${deep}}}`]) {
    expect((await call("POST", "/v1/jobs", { body, headers })).status).toBe(422);
  }
  const unknown = `{"command":"x","user":"a","other":${deep}}`;
  expect((await call("POST", "/v1/jobs", { body: unknown, headers })).status).toBe(201);
});

test("of a key given twice the last one counts", async () => {
  const response = await createHarness().call("POST", "/v1/jobs", {
    body: '{"command":"first","user":"ann","command":"second"}',
    headers: { "content-type": "application/json" },
  });
  expect(await response.json()).toMatchObject({ command: "second" });
});

test("a server that is stopping accepts no write, and still answers", async () => {
  const { call, stop, submit, store } = createHarness();
  const { id } = await submit();
  stop();
  for (const [method, path] of [
    ["POST", "/v1/jobs"],
    ["POST", "/v1/jobs/batch"],
    ["PATCH", `/v1/jobs/${id}`],
    ["DELETE", `/v1/jobs/${id}`],
    ["POST", `/v1/jobs/${id}/kill`],
    ["POST", "/v1/artifacts"],
    ["PUT", "/v1/gpus/0/blacklist"],
  ] as const) {
    const response = await call(method, path, { json: { command: "true", user: "ann" } });
    expect([path, response.status, await readError(response)]).toEqual([path, 503, "UNAVAILABLE"]);
  }
  expect((await call("GET", `/v1/jobs/${id}`)).status).toBe(200);
  expect(store.countJobs().queued).toBe(1);
});

test("a full disk is 503 for every write", async () => {
  const { call, submit, breakDisk } = createHarness();
  const { id } = await submit();
  breakDisk();
  const responses = [
    await call("POST", "/v1/jobs", { json: { command: "true", user: "ann" } }),
    await call("POST", "/v1/jobs/batch", { json: [{ command: "true", user: "ann" }] }),
    await call("PATCH", `/v1/jobs/${id}`, { json: { priority: 1 } }),
    await call("DELETE", `/v1/jobs/${id}`),
    await call("POST", `/v1/jobs/${id}/kill`),
    await call("POST", "/v1/artifacts", { body: "tar" }),
    await call("PUT", "/v1/gpus/0/blacklist"),
  ];
  for (const response of responses) {
    expect([response.status, await readError(response)]).toEqual([503, "UNAVAILABLE"]);
  }
});

test("a defect is logged and answered in the format of errors", async () => {
  const { context, errors } = createHarness();
  const broken = {
    ...context.store,
    countJobs: () => {
      throw new Error("a defect");
    },
  };
  const app = createApp({ ...context, store: broken });
  const request = new Request("http://localhost/v1/server/status", { headers: { host: "localhost" } });
  const response = await app.fetch(request, { address: "127.0.0.1" });
  expect([response.status, await readError(response)]).toEqual([503, "UNAVAILABLE"]);
  expect(errors).toEqual([expect.stringContaining("a defect")]);
});

test("a database that can't be read is 503 with what is wrong with it, and logged", async () => {
  const { context, errors } = createHarness();
  const message = "The database can't be read: it is damaged";
  const countJobs = () => {
    throw toUnavailableError(message);
  };
  const app = createApp({ ...context, store: { ...context.store, countJobs } });
  const request = new Request("http://localhost/v1/server/status", { headers: { host: "localhost" } });
  const response = await app.fetch(request, { address: "127.0.0.1" });
  expect([response.status, await response.json()]).toEqual([503, { error: "UNAVAILABLE", message, status_code: 503 }]);
  expect(errors).toHaveLength(1);
});

test("millions of wrong entries are refused in a short answer, in one request and spread over a batch", async () => {
  const { call } = createHarness();
  const headers = { "content-type": "application/json" };
  const zeros = (count: number): string => `[${Array(count).fill("0").join(",")}]`;
  const one = (field: string, value: string): string => `{"command":"true","user":"ann","${field}":${value}}`;
  const spread = `[${Array(350)
    .fill(one("integrations", zeros(10_000)))
    .join(",")}]`;
  for (const [path, body] of [
    ["/v1/jobs", one("integrations", zeros(3_000_000))],
    ["/v1/jobs", one("gpu_idxs", zeros(3_000_000))],
    ["/v1/jobs", one("env", `{${Array.from({ length: 500_000 }, (_, index) => `"A${index}":1`).join(",")}}`)],
    ["/v1/jobs/batch", spread],
    ["/v1/jobs/batch", zeros(3_000_000)],
  ] as const) {
    const response = await call("POST", path, { body, headers });
    const { detail } = (await response.json()) as { detail: readonly unknown[] };
    expect([response.status, detail.length <= 100]).toEqual([422, true]);
  }
});

test("every answer names the server's version", async () => {
  const { call } = createHarness();
  for (const path of ["/v1/jobs", "/docs", "/nothing", "/v1/health"]) {
    expect((await call("GET", path)).headers.get("x-nexus-version")).toBe("1.2.3");
  }
});

test("no answer may be taken for another type than it says", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  for (const path of ["/v1/jobs", "/docs", "/nothing", `/v1/jobs/${id}/logs`]) {
    expect((await call("GET", path)).headers.get("x-content-type-options")).toBe("nosniff");
  }
});
