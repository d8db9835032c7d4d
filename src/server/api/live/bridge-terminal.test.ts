import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createRunning } from "../../../../tests/support/samples.ts";
import { ok } from "../../../base/result.ts";
import type { JobTerminals, SocketPeer, TerminalListener } from "../../core/running/job-terminal.ts";
import { bridgeTerminal } from "./bridge-terminal.ts";
import { createViewingRooms } from "./viewing-rooms.ts";

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const openBridge = () => {
  const { context } = createHarness();
  const written: string[] = [];
  const listeners: TerminalListener[] = [];
  let waitingOutput = 0;
  const open: JobTerminals["open"] = (_argv, _options, listener) => {
    listeners.push(listener);
    const write = (bytes: Uint8Array): number => written.push(new TextDecoder().decode(bytes)) * 0;
    return ok({ write, resize: () => undefined, close: () => undefined });
  };
  const peer: SocketPeer = { send: () => undefined, countWaiting: () => waitingOutput, close: () => undefined };
  const handler = bridgeTerminal({ ...context, terminals: { ...context.terminals, open } }, createViewingRooms(), {
    job: createRunning("a"),
    options: { size: { columns: 80, rows: 24 }, kind: "xterm" },
    isReadOnly: false,
    onEnd: () => undefined,
  });
  handler.onOpen(peer);
  return {
    written,
    type: (keys: string) => handler.onMessage(toBytes(keys)),
    paint: () => listeners.at(-1)?.onOutput(toBytes("screen")),
    fallBehind: () => {
      waitingOutput = 1024 * 1024;
      listeners.at(-1)?.onOutput(toBytes("flood"));
    },
    catchUp: () => {
      waitingOutput = 0;
      handler.onDrain();
    },
  };
};

test("what is typed before the terminal has painted waits for that, and is written once and in order", () => {
  const { type, paint, written } = openBridge();
  type("\u0003");
  type("ls");
  expect(written).toEqual([]);
  paint();
  expect(written).toEqual(["\u0003", "ls"]);
  type("\r");
  paint();
  expect(written).toEqual(["\u0003", "ls", "\r"]);
});

test("a viewer that fell behind gets a terminal anew, and what it types waits for that one to paint", () => {
  const { type, paint, fallBehind, catchUp, written } = openBridge();
  paint();
  fallBehind();
  type("a");
  catchUp();
  type("b");
  expect(written).toEqual([]);
  paint();
  expect(written).toEqual(["a", "b"]);
});
