import { expect, test } from "bun:test";
import { passOn } from "./pass-on.ts";

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const toText = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);

const createSource = () => {
  const state = { pulls: 0, cancelled: "", hasEnded: false };
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull: () => {
        state.pulls += 1;
      },
      cancel: (reason) => {
        state.cancelled = `for ${reason}`;
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    state,
    send: (text: string) => controller?.enqueue(toBytes(text)),
    close: () => controller?.close(),
    fail: () => controller?.error(new Error("broken")),
    onEnd: () => {
      state.hasEnded = true;
    },
  };
};

test("bytes are passed on after what comes first, no faster than they are read, and their end is told", async () => {
  const { body, state, send, close, onEnd } = createSource();
  const reader = passOn(body, { onEnd, first: toBytes("first") }).getReader();
  expect([toText((await reader.read()).value), state.pulls]).toEqual(["first", 0]);
  const next = reader.read();
  send("a");
  expect(toText((await next).value)).toBe("a");
  expect(state).toEqual({ pulls: 1, cancelled: "", hasEnded: false });
  close();
  expect((await reader.read()).done).toBe(true);
  expect(state).toEqual({ pulls: 1, cancelled: "", hasEnded: true });
});

test("a source that fails is told as such, and has ended", async () => {
  const { body, state, fail, onEnd } = createSource();
  const reader = passOn(body, { onEnd }).getReader();
  fail();
  await expect(reader.read()).rejects.toThrow("broken");
  expect(state.hasEnded).toBe(true);
});

test.each([true, false])("who lets go ends the source and hears of its end, while it waits: %p", async (isWaiting) => {
  const { body, state, onEnd } = createSource();
  const reader = passOn(body, { onEnd }).getReader();
  const waiting = isWaiting ? reader.read() : null;
  await reader.cancel("enough");
  await waiting;
  expect(state).toMatchObject({ cancelled: "for enough", hasEnded: true });
});

test.each([true, false])("a signal ends the source, given before it is passed on: %p", async (isBefore) => {
  const { body, state, onEnd } = createSource();
  const stop = new AbortController();
  if (isBefore) stop.abort();
  const next = passOn(body, { onEnd, signal: stop.signal }).getReader().read();
  stop.abort();
  expect((await next).done).toBe(true);
  expect(state).toMatchObject({ cancelled: "for undefined", hasEnded: true });
});

test("a source whose end fails tells that to who lets go of it, and nobody where a signal ended it", async () => {
  const createStuck = () => new ReadableStream<Uint8Array>({ cancel: () => Promise.reject(new Error("stuck")) });
  await expect(passOn(createStuck(), {}).cancel()).rejects.toThrow("stuck");
  const passed = passOn(createStuck(), { signal: AbortSignal.abort() });
  expect((await passed.getReader().read()).done).toBe(true);
});
