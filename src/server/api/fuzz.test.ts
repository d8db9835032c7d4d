import { expect, test } from "bun:test";
import fc from "fast-check";
import { createHarness, type Harness } from "../../../tests/support/api.ts";
import { errorSchema } from "../../wire/error.ts";

const RANDOM_REQUESTS = 500;
const LOOP_REQUESTS = 10_000;

const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

const id = fc.oneof(
  fc.constantFrom("a", "b", "batch", "-", "%00", "%FF", "%2e%2e", "%", "A"),
  fc.string({ unit: "binary" }).map(encode),
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom("", "1e309", "-0", "0x1", "9".repeat(400), "NaN"));

const path = fc.oneof(
  fc.constantFrom(
    "/v1/jobs",
    "/v1/jobs/batch",
    "/v1/artifacts",
    "/v1/gpus",
    "/v1/health",
    "/v1/server/status",
    "/metrics",
    "/docs",
    "/openapi.json",
  ),
  id.map((value) => `/v1/jobs/${value}`),
  id.map((value) => `/v1/jobs/${value}/kill`),
  id.map((value) => `/v1/jobs/${value}/logs`),
  id.map((value) => `/v1/jobs/${value}/code`),
  id.map((value) => `/v1/jobs/${value}/files`),
  id.map((value) => `/v1/jobs/a/files/${value}`),
  id.map((value) => `/v1/jobs/${value}/files.tar`),
  id.map((value) => `/v1/artifacts/by-sha/${value}`),
  number.map((value) => `/v1/gpus/${value}/blacklist`),
  number.map((value) => `/v1/gpus/${value}/fault`),
  id.map((value) => `/${value}`),
);

const queryName = fc.constantFrom(
  "status",
  "limit",
  "offset",
  "gpu_index",
  "user",
  "command_regex",
  "detailed",
  "refresh",
  "last_n_lines",
  "path",
  "glob",
  "git_sha",
  "%",
  "__proto__",
  "constructor",
);
const queryValue = fc.oneof(
  fc.string({ unit: "binary" }).map(encode),
  fc.string(),
  number.map(String),
  fc.constantFrom("queued", "true", "%00", "%E0%A4%A", "(a+)+$", "(", "a{1000}"),
);
const query = fc
  .array(
    fc.tuple(queryName, queryValue).map(([name, value]) => `${name}=${value}`),
    { maxLength: 4 },
  )
  .map((pairs) => (pairs.length === 0 ? "" : `?${pairs.join("&").replaceAll("#", "")}`));

const jobBody = fc.record(
  {
    command: fc.oneof(fc.constant("true"), fc.anything()),
    user: fc.oneof(fc.constant("ann"), fc.string({ unit: "binary" })),
    job_id: fc.oneof(fc.constantFrom("a", "b", null), fc.anything()),
    artifact_id: fc.oneof(fc.constant(null), fc.string({ unit: "binary" })),
    num_gpus: fc.oneof(fc.nat(3), fc.anything()),
    gpu_idxs: fc.oneof(fc.array(fc.nat(3)), fc.anything()),
    priority: fc.oneof(fc.integer({ min: -10_000, max: 10_000 }), fc.anything()),
    integrations: fc.oneof(fc.subarray(["wandb", "nullpointer"]), fc.anything()),
    notifications: fc.oneof(fc.subarray(["discord", "phone"]), fc.anything()),
    env: fc.oneof(fc.dictionary(fc.string(), fc.string({ unit: "binary" })), fc.anything()),
    run_immediately: fc.oneof(fc.boolean(), fc.anything()),
    git_tag: fc.anything(),
  },
  { requiredKeys: ["command", "user"] },
);

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? part.toString() : part)) ?? "null";

const body = fc.oneof(
  fc.constant(undefined),
  jobBody.map(toJson),
  fc.array(jobBody, { maxLength: 5 }).map(toJson),
  fc.json(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    '{"a":1,"a":2}',
    "[".repeat(10_000),
    '{"__proto__":{"command":"x"}}',
    '{"command":"\\ud800","user":"\\u0000"}',
  ),
);

const request = fc.record({
  method: fc.constantFrom("GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
  path,
  query,
  body,
  type: fc.constantFrom(
    "application/json",
    "application/json",
    "application/json",
    "text/plain",
    "application/json;;",
    "",
  ),
  host: fc.constantFrom("localhost", "localhost", "localhost", "localhost", "[", "evil"),
});

type FuzzRequest = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

const send = async (harness: Harness, { method, path, query, body, type, host }: FuzzRequest): Promise<void> => {
  const hasBody = body !== undefined && method !== "GET" && method !== "HEAD";
  const response = await harness.call(method, `${path}${query}`, {
    headers: { host, "content-type": type },
    ...(hasBody ? { body: new TextEncoder().encode(body) } : {}),
  });
  const text = await response.text();
  if (response.status < 400 || method === "HEAD") return;
  const error = errorSchema.parse(JSON.parse(text));
  expect(error.status_code).toBe(response.status);
  expect(response.status < 500 || error.error === "GPU_ERROR").toBe(true);
};

test("no request gives a 5xx but GPU_ERROR, and every error has its format", async () => {
  const harness = createHarness();
  await fc.assert(
    fc.asyncProperty(request, (one) => send(harness, one)),
    { numRuns: RANDOM_REQUESTS },
  );
  expect(harness.errors).toEqual([]);
});

test("nor do ten thousand of them", async () => {
  const harness = createHarness();
  const pool = fc.sample(request, 1000);
  for (let index = 0; index < LOOP_REQUESTS; index += 1) {
    const one = pool[(index * 7) % pool.length];
    const other = pool[(index * 13 + 5) % pool.length];
    if (one !== undefined && other !== undefined) await send(harness, { ...one, body: other.body, query: other.query });
  }
  expect(harness.errors).toEqual([]);
}, 60_000);
