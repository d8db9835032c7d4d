import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { renderLogMark } from "../../../wire/log-cut.ts";
import { createApp } from "../app.ts";

test("the tail of a log is JSON", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  const whole = await call("GET", `/v1/jobs/${id}/logs`);
  expect([whole.status, await whole.json()]).toEqual([200, { data: `tail of ${id} null\n` }]);
  const lines = await call("GET", `/v1/jobs/${id}/logs?last_n_lines=20`);
  expect(await lines.json()).toEqual({ data: `tail of ${id} 20\n` });
});

test("a log can be read on from where an earlier answer ended, across what was left out", async () => {
  const { call, context, submit } = createHarness();
  const { id } = await submit();
  const read = async (query: string) => (await call("GET", `/v1/jobs/${id}/logs?${query}`)).json();
  const length = (text: string): number => text.length;
  const tail = `bytes of ${id} 3 null\n`;
  expect(await read("resumable=true&last_n_lines=3")).toEqual({ data: tail, next: 7 + length(tail) });
  const rest = `bytes of ${id} ${Number.MAX_SAFE_INTEGER} {"from":12,"isMarked":false}\n`;
  expect(await read("from=12")).toEqual({ data: rest, next: 12 + length(rest) });
  expect(await read("from=12&file=error")).toEqual({ data: `errors of ${id} null\n` });
  const mark = renderLogMark({ from: 3, to: 5000 });
  const resume: typeof context.logs.resume = async (_id, { place }) =>
    place?.isMarked
      ? { position: 5000, bytes: new Blob(["end"]).stream() }
      : { position: 0, bytes: new Blob(["abc", mark]).stream() };
  const app = createApp({ ...context, logs: { ...context.logs, resume } });
  const request = new Request(`http://localhost/v1/jobs/${id}/logs?from=0`, { headers: { host: "localhost" } });
  expect(await (await app.fetch(request, { address: "::1" })).json()).toEqual({ data: `abc${mark}end`, next: 5003 });
});

test("what went wrong around a job can be read too", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  const errors = await call("GET", `/v1/jobs/${id}/logs?file=error&last_n_lines=5`);
  expect(await errors.json()).toEqual({ data: `errors of ${id} 5\n` });
  expect((await call("GET", `/v1/jobs/${id}/logs?file=../secret.key`)).status).toBe(422);
});

test("a log is given as text for reading, and as bytes", async () => {
  const { context, submit } = createHarness();
  const { id } = await submit();
  const bytes = new TextEncoder().encode(
    'Script started on x [y]\none\r\n 1%\r 2%\r\n\nScript done on x [COMMAND_EXIT_CODE="0"]\n',
  );
  const logs = { ...context.logs, readTail: async () => bytes };
  const ask = async (query: string) => {
    const request = new Request(`http://localhost/v1/jobs/${id}/logs?${query}`, { headers: { host: "localhost" } });
    const response = await createApp({ ...context, logs }).fetch(request, { address: "::1" });
    return [response.headers.get("content-type"), await response.text()];
  };
  expect(await ask("format=text")).toEqual(["text/plain; charset=utf-8", "one\n 2%\n"]);
  expect(await ask("format=text&last_n_lines=1")).toEqual(["text/plain; charset=utf-8", " 2%\n"]);
  expect(await ask("format=raw")).toEqual(["application/octet-stream", new TextDecoder().decode(bytes)]);
});

test("a log is given since a time, where that is noted", async () => {
  const { context, call, submit, startJob } = createHarness();
  const { id } = await submit();
  const ask = async (query: string) => (await call("GET", `/v1/jobs/${id}/${query}`)).json();
  expect(await ask("logs?since=5")).toEqual({ data: `tail of ${id} null\n`, since: 5 });
  await startJob(id);
  const since = 4_000_000_000.5;
  expect(await ask("logs?since=1")).toEqual({ data: `tail of ${id} null\n`, since: 1 });
  expect(await ask(`logs?since=${since}&last_n_lines=3`)).toEqual({ data: `tail of ${id} 3 since ${since}\n`, since });
  expect((await call("GET", `/v1/jobs/${id}/logs?since=${since}&file=error`)).status).toBe(400);
  for (const wrong of ["x", "", "1e999", "NaN", "Infinity", "0x10"])
    expect((await call("GET", `/v1/jobs/${id}/logs?since=${wrong}`)).status).toBe(422);
  const logs = { ...context.logs, knowsTimes: async () => false };
  for (const path of ["logs", "logs/stream"]) {
    const request = new Request(`http://localhost/v1/jobs/${id}/${path}?since=${since}`, {
      headers: { host: "localhost" },
    });
    const response = await createApp({ ...context, logs }).fetch(request, { address: "::1" });
    expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_REQUEST" }]);
  }
  expect((await call("GET", `/v1/jobs/${id}/logs?format=yaml`)).status).toBe(422);
});

test("bytes that are not UTF-8 are replaced", async () => {
  const { context, submit } = createHarness();
  const { id } = await submit();
  const logs = { ...context.logs, readTail: async () => new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x1b]) };
  const request = new Request(`http://localhost/v1/jobs/${id}/logs`, { headers: { host: "localhost" } });
  const response = await createApp({ ...context, logs }).fetch(request, { address: "::1" });
  expect(await response.json()).toEqual({ data: "\ufeffa\ufffd\u001b" });
});

test.each(["logs", "logs/stream"])("%s refuses unknown jobs and strange numbers of lines", async (path) => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  expect((await call("GET", `/v1/jobs/nothing/${path}`)).status).toBe(404);
  for (const lines of ["0", "-1", "x", "", "99999999999999999999"]) {
    expect((await call("GET", `/v1/jobs/${id}/${path}?last_n_lines=${lines}`)).status).toBe(422);
  }
});

test("a stream that can be gone on with says at which byte it begins", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit();
  const ask = async (query: string) => {
    const response = await call("GET", `/v1/jobs/${id}/logs/stream?${query}`);
    return [response.headers.get("x-nexus-log-position"), await response.text()];
  };
  expect(await ask("resumable=true&last_n_lines=3")).toEqual(["7", `bytes of ${id} 3 null\n`]);
  expect(await ask("from=12")).toEqual(["12", `bytes of ${id} null {"from":12,"isMarked":false}\n`]);
  expect(await ask("from=0&marked=true")).toEqual(["0", `bytes of ${id} null {"from":0,"isMarked":true}\n`]);
  for (const from of ["-1", "x", "1.5", "99999999999999999999"])
    expect((await call("GET", `/v1/jobs/${id}/logs/stream?from=${from}`)).status).toBe(422);
});

test("the stream of a job goes on until the job ends", async () => {
  const { call, submit, startJob, endJob } = createHarness();
  const { id } = await submit();
  await startJob(id);
  const response = await call("GET", `/v1/jobs/${id}/logs/stream?last_n_lines=3`);
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const line = `line of ${id} 3\n`;
  for (let index = 0; index < 3; index += 1) expect(new TextDecoder().decode((await reader.read()).value)).toBe(line);
  await endJob(id);
  let rest = 0;
  while (!(await reader.read()).done) rest += 1;
  expect(rest).toBeLessThanOrEqual(2);
});

test("a stream ends when its job is removed and when the server stops", async () => {
  for (const end of ["remove", "stop"] as const) {
    const { call, submit, stop } = createHarness();
    const { id } = await submit();
    const response = await call("GET", `/v1/jobs/${id}/logs/stream`);
    if (end === "remove") await call("DELETE", `/v1/jobs/${id}`);
    else stop();
    expect(await response.text()).toContain(`line of ${id}`);
  }
});

test("HEAD follows nothing", async () => {
  const { context, submit } = createHarness();
  const { id } = await submit();
  let followed = 0;
  const follow = () => {
    followed += 1;
    return new ReadableStream<Uint8Array>();
  };
  const request = new Request(`http://localhost/v1/jobs/${id}/logs/stream`, {
    method: "HEAD",
    headers: { host: "localhost" },
  });
  const app = createApp({ ...context, logs: { ...context.logs, follow } });
  const response = await app.fetch(request, { address: "::1" });
  expect([response.status, followed]).toEqual([200, 0]);
});

test("the connection of who follows may be quiet, that of who was refused no longer than any other", async () => {
  const { app, submit } = createHarness();
  await submit({ job_id: "a" });
  const listHeld = async (id: string): Promise<readonly boolean[]> => {
    const held: boolean[] = [];
    const request = new Request(`http://localhost/v1/jobs/${id}/logs/stream`, { headers: { host: "localhost" } });
    const response = await app.fetch(request, { address: "::1", holdOpen: (isHeld) => void held.push(isHeld) });
    await response.body?.cancel();
    return held;
  };
  expect([await listHeld("a"), await listHeld("none")]).toEqual([[true], [true, false]]);
});

test("the log of each attempt can be read, without a number that of the newest, and an unknown one is 404", async () => {
  const { call, submit, retryJob, startJob } = createHarness();
  const { id } = await submit({ retry: { count: 3 } });
  const read = async (query = ""): Promise<string> =>
    ((await (await call("GET", `/v1/jobs/${id}/logs${query}`)).json()) as { data: string }).data;
  expect((await call("GET", `/v1/jobs/${id}/logs?attempt=1`)).status).toBe(404);
  await startJob(id);
  expect(await read("?attempt=1")).toBe(`tail of ${id} null\n`);
  await retryJob(id);
  expect([await read(), await read("?attempt=1")]).toEqual(Array(2).fill(`tail of attempt 1 of ${id} null\n`));
  await startJob(id, [], 1_700_000_700);
  expect([await read(), await read("?attempt=1&last_n_lines=3"), await read("?attempt=2&file=error")]).toEqual([
    `tail of attempt 2 of ${id} null\n`,
    `tail of attempt 1 of ${id} 3\n`,
    `errors of attempt 2 of ${id} null\n`,
  ]);
  const unknown = await call("GET", `/v1/jobs/${id}/logs?attempt=3`);
  expect([unknown.status, await unknown.json()]).toEqual([404, expect.objectContaining({ error: "NOT_FOUND" })]);
  expect((await call("GET", `/v1/jobs/${id}/logs?attempt=0`)).status).toBe(422);
});

test("a stream that can be resumed is of one attempt, which it names, and may be asked for before that begins", async () => {
  const { call, submit, retryJob, startJob } = createHarness();
  const { id } = await submit({ retry: { count: 3 } });
  await startJob(id);
  await retryJob(id);
  const stream = (attempt: number) => call("GET", `/v1/jobs/${id}/logs/stream?from=0&attempt=${attempt}`);
  const [first, next] = [await stream(1), await stream(2)];
  expect([first, next].map(({ headers }) => headers.get("x-nexus-log-attempt"))).toEqual(["1", "2"]);
  expect(await next.text()).toContain(`bytes of attempt 2 of ${id}`);
  expect((await stream(3)).status).toBe(404);
});
