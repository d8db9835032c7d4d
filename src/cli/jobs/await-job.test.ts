import { expect, onTestFinished, spyOn, test } from "bun:test";
import { pickPort } from "../../../tests/support/pick-port.ts";
import { createPlainApi } from "../../../tests/support/plain-api.ts";
import { makeJob } from "../../../tests/support/top-samples.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { awaitJob, isEnded } from "./await-job.ts";

const RECONNECT_MS = 500;

const serveJob = () => {
  let status: "running" | "completed" = "running";
  let answers = 0;
  const listeners: ReadableStreamDefaultController<string>[] = [];
  const listen = (controller: ReadableStreamDefaultController<string>): void => {
    listeners.push(controller);
    controller.enqueue("retry: 1000\n\n");
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      if (url.endsWith("/v1/events")) return new Response(new ReadableStream({ start: listen }));
      answers += 1;
      return Response.json(makeJob({ status }));
    },
  });
  onTestFinished(() => server.stop(true));
  return {
    port: server.port,
    countAnswers: () => answers,
    end: () => {
      status = "completed";
    },
    say: (event: string) => listeners.at(-1)?.enqueue(`${event}\n\n`),
  };
};

const shortenPauses = (): { count: number } => {
  const pauses = { count: 0 };
  const wait = globalThis.setTimeout;
  const shorten = (run: () => void, ms?: number) => {
    pauses.count += Number(ms === RECONNECT_MS);
    return wait(run, ms === RECONNECT_MS ? 0 : ms);
  };
  const spied = spyOn(globalThis, "setTimeout").mockImplementation(shorten as typeof setTimeout);
  onTestFinished(() => spied.mockRestore());
  return pauses;
};

test("a job whose end is among the events that the server no longer has is heard of all the same", async () => {
  const server = serveJob();
  const { id } = makeJob();
  const waiting = awaitJob(createPlainApi(server.port), id, isEnded);
  await waitUntil(() => server.countAnswers() === 1, "the job was asked for");
  server.end();
  server.say("id: e1-9\nevent: resync\ndata: {}");
  expect(await waiting).toMatchObject({ ok: true, value: { status: "completed" } });
  expect(server.countAnswers()).toBe(2);
});

test("events of other jobs ask nothing of the server", async () => {
  const server = serveJob();
  const { id } = makeJob();
  const waiting = awaitJob(createPlainApi(server.port), id, isEnded);
  await waitUntil(() => server.countAnswers() === 1, "the job was asked for");
  const tellOf = (job: string) => server.say(`event: job\ndata: ${JSON.stringify(makeJob({ id: job }))}`);
  tellOf("other1");
  tellOf(id);
  await waitUntil(() => server.countAnswers() === 2, "the job was asked for again");
  server.end();
  tellOf(id);
  expect(await waiting).toMatchObject({ ok: true, value: { status: "completed" } });
  expect(server.countAnswers()).toBe(3);
});

test("a server that is gone for good is waited for half a minute and then given up", async () => {
  const pauses = shortenPauses();
  const waited = await awaitJob(createPlainApi(await pickPort()), "k3f9ab", isEnded);
  expect(waited).toMatchObject({
    ok: false,
    error: { exitCode: 3, message: expect.stringContaining("can't be reached") },
  });
  expect((pauses.count * RECONNECT_MS) / 1000).toBeWithin(29, 31);
});
