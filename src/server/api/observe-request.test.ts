import { expect, test } from "bun:test";
import { createHarness, type Harness } from "../../../tests/support/api.ts";
import { readFigure } from "../../../tests/support/parse-exposition.ts";
import { createApp } from "./app.ts";

const readMetrics = async ({ call }: Harness): Promise<string> => (await call("GET", "/metrics")).text();

test("a request's id is taken from the client or made, sent back, and in each line that the request logs", async () => {
  const { call, lines } = createHarness();
  const json = { command: "true", user: "ann", num_gpus: 0, job_id: "a" };
  const sent = await call("POST", "/v1/jobs", { json, headers: { "x-request-id": "trace-1" } });
  expect(sent.headers.get("x-request-id")).toBe("trace-1");
  expect(lines.map(({ event, fields }) => [event, fields["request_id"]])).toEqual([
    ["job changed", "trace-1"],
    ["request", "trace-1"],
  ]);
  const made = await call("GET", "/v1/nothing", { headers: { "x-request-id": "not sane" } });
  const id = made.headers.get("x-request-id");
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines.at(-1)?.fields["request_id"]).toBe(id);
});

test("the answer to a request that broke has an id, which is in the line that says why", async () => {
  const harness = createHarness();
  const broken = await harness.call("GET", "/v1/jobs/a/logs/stream?last_n_lines=1", {
    headers: { "x-request-id": "x1" },
  });
  expect(broken.status).toBe(404);
  const fail = () => {
    throw new Error("no table");
  };
  const app = createApp({ ...harness.context, store: { ...harness.store, countJobs: fail } });
  const headers = { host: "localhost", "x-request-id": "x2" };
  const answer = await app.fetch(new Request("http://localhost/metrics", { headers }), { address: "127.0.0.1" });
  expect([answer.status, answer.headers.get("x-request-id")]).toEqual([503, "x2"]);
  expect(harness.lines.filter(({ level }) => level !== "debug")).toMatchObject([
    {
      level: "error",
      event: "request failed",
      fields: { request_id: "x2", error: expect.stringContaining("no table") },
    },
    { level: "warn", event: "request", fields: { request_id: "x2", status: 503 } },
  ]);
});

test("changes and refused requests are told at info, reads at debug, without their query", async () => {
  const { call, lines } = createHarness();
  await call("GET", "/v1/jobs?command_regex=secret");
  await call("DELETE", "/v1/jobs/none");
  await call("GET", "/v1/jobs", { peer: "10.0.0.7" });
  await call("GET", "/v1/jobs", { headers: { host: "evil.example" } });
  expect(
    lines.map(({ level, fields }) => [level, fields["method"], fields["path"], fields["status"], fields["peer"]]),
  ).toEqual([
    ["debug", "GET", "/v1/jobs", 200, "127.0.0.1"],
    ["info", "DELETE", "/v1/jobs/none", 404, "127.0.0.1"],
    ["info", "GET", "/v1/jobs", 401, "10.0.0.7"],
    ["info", "GET", "/v1/jobs", 403, "127.0.0.1"],
  ]);
});

test("requests are counted by route and status, whatever ids, paths and methods clients think of", async () => {
  const harness = createHarness();
  const { call, submit } = harness;
  await submit({ job_id: "a" });
  for (const id of ["a", "b", "c"]) await call("GET", `/v1/jobs/${id}`);
  await call("GET", "/v1/no/such/path");
  await call("GET", "/else");
  await call("PROPFIND", "/v1/jobs");
  await call("PUT", "/v1/jobs/a");
  const text = await readMetrics(harness);
  const count = (labels: Record<string, string>) => readFigure(text, "nexus_http_requests_total", labels);
  expect(count({ method: "GET", route: "/v1/jobs/{id}", status: "200" })).toBe(1);
  expect(count({ method: "GET", route: "/v1/jobs/{id}", status: "404" })).toBe(2);
  expect(count({ route: "other" })).toBe(2);
  expect(count({ method: "other", route: "/v1/jobs", status: "405" })).toBe(1);
  expect(count({ method: "PUT", route: "/v1/jobs/{id}", status: "405" })).toBe(1);
  expect(readFigure(text, "nexus_http_request_duration_seconds_count", { route: "/v1/jobs/{id}" })).toBe(4);
});

test("each change of a job by a request is one line that says who asked for it; a change of nothing is none", async () => {
  const { call, lines, startJob, submit } = createHarness();
  await submit({ job_id: "a" });
  await submit({ job_id: "b" });
  await call("PATCH", "/v1/jobs/a", { json: { priority: 5 } });
  await call("PATCH", "/v1/jobs/a", { json: {} });
  await call("DELETE", "/v1/jobs/a");
  await startJob("b");
  await call("POST", "/v1/jobs/b/kill", { headers: { "x-nexus-user": "J%C3%BCrgen%20K." } });
  await call("POST", "/v1/jobs/b/kill");
  await call("PUT", "/v1/gpus/1/blacklist");
  await call("PUT", "/v1/gpus/1/blacklist");
  const changes = lines.filter(({ event }) => event !== "request");
  expect(changes.map(({ fields: { job_id, gpu, from, to, reason } }) => [job_id ?? gpu, from, to, reason])).toEqual([
    ["a", null, "queued", "submitted by 127.0.0.1"],
    ["b", null, "queued", "submitted by 127.0.0.1"],
    ["a", "queued", "queued", "edited by 127.0.0.1"],
    ["a", "queued", null, "removed by 127.0.0.1"],
    ["b", "running", "running", "kill asked for by Jürgen K. at 127.0.0.1"],
    [1, undefined, undefined, "asked for by 127.0.0.1"],
  ]);
});

test("submitted jobs are counted, those of a repeated request once", async () => {
  const harness = createHarness();
  const json = [
    { command: "true", user: "ann", num_gpus: 0, job_id: "a" },
    { command: "false", user: "ann", num_gpus: 0 },
  ];
  await harness.call("POST", "/v1/jobs/batch", { json });
  await harness.call("POST", "/v1/jobs", { json: json[0] });
  const text = await readMetrics(harness);
  expect(readFigure(text, "nexus_jobs_submitted_total")).toBe(2);
  expect(readFigure(text, "nexus_jobs", { status: "queued" })).toBe(2);
});

test.each(["%", "a%0Ab", "", "a".repeat(65), "%E2%80%A8"])("a user who is called %j is left out", async (sent) => {
  const { call, lines, submit } = createHarness();
  await submit({ job_id: "a" });
  await call("DELETE", "/v1/jobs/a", { headers: { "x-nexus-user": sent } });
  expect(lines.at(-2)?.fields).toMatchObject({ job_id: "a", reason: "removed by 127.0.0.1" });
});
