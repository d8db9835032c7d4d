import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { createHarness } from "../../../../tests/support/api.ts";
import { jobRequestSchema } from "../../../wire/job.ts";

type Bounds = Readonly<{ type?: string; pattern?: string; minimum?: number; maximum?: number; default?: unknown }>;
type Parameter = Readonly<{ name: string; in: string; schema: Bounds }>;
type Call = Readonly<{
  responses: Record<string, unknown>;
  parameters?: readonly Parameter[];
  requestBody?: Readonly<{ content: Readonly<Record<string, unknown>> }>;
}>;

type Described = Readonly<{
  openapi: string;
  paths: Readonly<Record<string, Readonly<Record<string, Call>>>>;
  components: Readonly<{ schemas: Readonly<Record<string, unknown>>; securitySchemes: unknown }>;
}>;

const CALLS = [
  "DELETE /v1/jobs/{id}/files",
  "PUT /v1/server/drain",
  "DELETE /v1/server/drain",
  "GET /v1/jobs/{id}/files",
  "GET /v1/jobs/{id}/files.tar",
  "GET /v1/jobs/{id}/files/{path}",
  "PATCH /v1/jobs/{id}/files",
  "GET /v1/jobs/{id}/usage",
  "GET /v1/server/status",
  "GET /v1/usage",
  "GET /v1/usage/estimates",
  "GET /v1/health",
  "GET /v1/gpus",
  "PUT /v1/gpus/{index}/blacklist",
  "DELETE /v1/gpus/{index}/blacklist",
  "DELETE /v1/gpus/{index}/fault",
  "GET /v1/reservations",
  "POST /v1/reservations",
  "DELETE /v1/reservations/{id}",
  "POST /mcp",
  "POST /v1/artifacts",
  "GET /v1/artifacts/by-sha/{git_sha}",
  "POST /v1/jobs",
  "POST /v1/jobs/batch",
  "GET /v1/jobs",
  "GET /v1/jobs/{id}",
  "GET /v1/jobs/{id}/deliveries",
  "POST /v1/notifications/test",
  "POST /v1/auth/ssh-key",
  "PATCH /v1/jobs/{id}",
  "DELETE /v1/jobs/{id}",
  "POST /v1/jobs/{id}/kill",
  "GET /v1/jobs/{id}/code",
  "GET /v1/jobs/{id}/logs",
  "GET /v1/jobs/{id}/logs/stream",
  "GET /v1/jobs/{id}/why",
  "GET /v1/jobs/{id}/attach",
  "GET /v1/batches",
  "GET /v1/events",
  "GET /openapi.json",
  "GET /docs",
  "GET /metrics",
];

const readDocument = async (): Promise<Described> => {
  const response = await createHarness().call("GET", "/openapi.json");
  expect(response.status).toBe(200);
  return (await response.json()) as Described;
};

test("the document describes every call", async () => {
  const document = await readDocument();
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(document.openapi).toBe("3.1.0");
  expect(described.sort()).toEqual([...CALLS].sort());
});

test("the document names the shared schemas, and every reference leads to one", async () => {
  const document = await readDocument();
  const names = Object.keys(document.components.schemas);
  for (const name of ["Job", "JobRequest", "JobPatch", "Gpu", "Health", "ServerStatus", "Error", "Logs"]) {
    expect(names).toContain(name);
  }
  const references = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
    (match) => match[1] ?? "",
  );
  expect(references.filter((name) => !names.includes(name))).toEqual([]);
  expect(document.components.securitySchemes).toEqual({ bearer: { type: "http", scheme: "bearer" } });
});

const listCalls = ({ paths }: Described): readonly (readonly [string, string, Call])[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, call]) => [method.toUpperCase(), path, call] as const),
  );

const describeBounds = ({ minimum, maximum, default: usual }: Bounds): string =>
  `${minimum ?? ""}..${maximum ?? ""}${usual === undefined ? "" : `, else ${usual}`}`;

test("the document tells the bounds of every number in a query, and what is taken where it is left out", async () => {
  const told = listCalls(await readDocument()).flatMap(([method, path, { parameters = [] }]) =>
    parameters
      .filter(({ in: place, schema }) => place === "query" && /^(integer|number)$/.test(schema.type ?? ""))
      .map(({ name, schema }) => `${method} ${path} ${name} ${describeBounds(schema)}`),
  );
  expect(told.sort()).toEqual([
    "GET /v1/batches limit 1..1000, else 20",
    "GET /v1/jobs ended_since ..",
    "GET /v1/jobs ended_until ..",
    "GET /v1/jobs exit_code ..",
    "GET /v1/jobs gpu_index ..",
    "GET /v1/jobs limit 1..10000, else 1000",
    "GET /v1/jobs offset 0.., else 0",
    "GET /v1/jobs/{id}/attach columns 1..1000, else 80",
    "GET /v1/jobs/{id}/attach rows 1..1000, else 24",
    "GET /v1/jobs/{id}/files attempt 1..",
    "GET /v1/jobs/{id}/files limit 1..10000, else 1000",
    "GET /v1/jobs/{id}/files offset 0.., else 0",
    "GET /v1/jobs/{id}/files.tar attempt 1..",
    "GET /v1/jobs/{id}/files/{path} attempt 1..",
    "GET /v1/jobs/{id}/logs attempt 1..",
    "GET /v1/jobs/{id}/logs from 0..",
    "GET /v1/jobs/{id}/logs last_n_lines 1..",
    "GET /v1/jobs/{id}/logs since ..",
    "GET /v1/jobs/{id}/logs/stream attempt 1..",
    "GET /v1/jobs/{id}/logs/stream from 0..",
    "GET /v1/jobs/{id}/logs/stream last_n_lines 1..",
    "GET /v1/jobs/{id}/logs/stream since ..",
    "GET /v1/jobs/{id}/usage attempt 1..",
    "GET /v1/jobs/{id}/usage last_n_spans 1..",
    "GET /v1/usage days 1..366, else 7",
    "GET /v1/usage limit 1..10000, else 1000",
    "GET /v1/usage since ..",
    "GET /v1/usage/estimates days 1..366, else 7",
    "GET /v1/usage/estimates since ..",
  ]);
});

test("every number in a query is held to its bounds", async () => {
  const { call } = createHarness();
  const judge = async (path: string, name: string, value: number | undefined, isTaken: boolean): Promise<void> => {
    if (value === undefined) return;
    const address = `${path.replace("{id}", "a")}?${name}=${value}`;
    expect([address, (await call("HEAD", address)).status !== 422]).toEqual([address, isTaken]);
  };
  for (const [, path, { parameters = [] }] of listCalls(await readDocument()))
    for (const { name, schema } of parameters.filter((one) => one.in === "query")) {
      const { minimum, maximum } = schema;
      await judge(path, name, minimum, true);
      await judge(path, name, minimum === undefined ? undefined : minimum - 1, false);
      await judge(path, name, maximum, true);
      await judge(path, name, maximum === undefined ? undefined : maximum + 1, false);
    }
});

test("a flag of a query is off where it is left out, and a choice is its first", async () => {
  const told = listCalls(await readDocument()).flatMap(([, , { parameters = [] }]) =>
    parameters.filter(({ in: place, schema }) => place === "query" && !("minimum" in schema) && "default" in schema),
  );
  expect(new Set(told.map(({ name, schema }) => `${name} ${JSON.stringify(schema.default)}`))).toEqual(
    new Set([
      ...["detailed", "refresh", "explain", "resumable", "marked", "read_only"].map((name) => `${name} false`),
      ...['file "output"', 'format "json"', 'path ""', "glob []", 'by "user"', 'term "xterm-256color"'],
    ]),
  );
});

test("the page is whole in itself: no script, nothing loaded, a strict policy", async () => {
  const response = await createHarness().call("GET", "/docs");
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const page = await response.text();
  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? "";
  const policy = response.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  expect(page).not.toMatch(/<script|<link|<img|src=|https?:\/\//);
  for (const call of CALLS) expect(page).toContain(`<code>${call}</code>`);
});

test("every call names what its body may be refused for", async () => {
  for (const [method, path, { responses, requestBody }] of listCalls(await readDocument())) {
    const isJson = requestBody !== undefined && "application/json" in requestBody.content;
    const refusals = [...(requestBody === undefined ? [] : ["408"]), ...(isJson ? ["413", "415", "422"] : [])];
    const call = `${method} ${path}`;
    expect([call, ...Object.keys(responses)]).toEqual(expect.arrayContaining([call, ...refusals]));
  }
});

test("every call names the parameters that stand in its path, and no others", async () => {
  for (const [path, item] of Object.entries((await readDocument()).paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
    for (const { parameters = [] } of Object.values(item)) {
      expect([path, parameters.filter((one) => one.in === "path").map(({ name }) => name)]).toEqual([path, names]);
    }
  }
});

test("the document tells what a job's id and a GPU's index look like", async () => {
  const { paths } = await readDocument();
  const [id] = paths["/v1/jobs/{id}"]?.["get"]?.parameters ?? [];
  const [index] = paths["/v1/gpus/{index}/blacklist"]?.["put"]?.parameters ?? [];
  expect([id?.schema, index?.schema]).toEqual([{ type: "string", pattern: "^[a-z0-9-]{1,64}$" }, { type: "integer" }]);
});

type Rules = Readonly<{
  pattern?: string;
  maxLength?: number;
  uniqueItems?: boolean;
  propertyNames?: Readonly<{ pattern: string }>;
  additionalProperties?: Readonly<{ pattern: string }>;
}>;

const isAllowed = (value: unknown, rules: Rules): boolean => {
  if (typeof value === "string")
    return new RegExp(rules.pattern ?? "").test(value) && value.length <= (rules.maxLength ?? Number.POSITIVE_INFINITY);
  if (Array.isArray(value)) return rules.uniqueItems !== true || new Set(value).size === value.length;
  const { propertyNames, additionalProperties } = rules;
  return Object.entries(value as Record<string, string>).every(
    ([name, text]) =>
      new RegExp(propertyNames?.pattern ?? "").test(name) && new RegExp(additionalProperties?.pattern ?? "").test(text),
  );
};

test.each([
  ["command", [" x\n", "é", "x".repeat(131_072)], ["", " \n\t", "a\0b", "x".repeat(131_073)]],
  ["user", ["ada", " ada "], ["", "  ", "a\0"]],
  ["gpu_idxs", [[], [0, 1]], [[1, 1]]],
  ["env", [{}, { A_1: "x\ny" }], [{ "1A": "x" }, { "A-B": "x" }, { "": "x" }, { A: "\0" }]],
  ["jobrc", ["", "set -x\n"], ["\0"]],
  ["git_tag", ["v1"], ["v\0"]],
  ["job_id", ["a-1"], ["A", "", "a".repeat(65)]],
] as const)("what the document says of %s is what requests are held to", async (name, allowed, refused) => {
  const request = (await readDocument()).components.schemas["JobRequest"] as { properties: Record<string, Rules> };
  const rules = request.properties[name] ?? {};
  const isTaken = (value: unknown): boolean =>
    jobRequestSchema.safeParse({ command: "true", user: "ada", [name]: value }).success;
  for (const value of allowed) expect([value, isTaken(value), isAllowed(value, rules)]).toEqual([value, true, true]);
  for (const value of refused) expect([value, isTaken(value), isAllowed(value, rules)]).toEqual([value, false, false]);
});
