import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { readFigure } from "../../../../tests/support/parse-exposition.ts";
import { createRunning } from "../../../../tests/support/samples.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { ok } from "../../../base/result.ts";
import type { JobTerminals, SocketPeer, TerminalListener, TerminalSize } from "../../core/running/job-terminal.ts";
import { bridgeTerminal } from "./bridge-terminal.ts";
import { createViewingRooms } from "./viewing-rooms.ts";

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const openBridge = (isReadOnly = false, rooms = createViewingRooms()) => {
  const { context, call } = createHarness();
  const written: string[] = [];
  const listeners: TerminalListener[] = [];
  const sizes: TerminalSize[] = [];
  const happened: string[] = [];
  const note = (what: string) => () => void happened.push(what);
  let waitingOutput = 0;
  let takesInput = true;
  const open: JobTerminals["open"] = (_argv, { size }, listener) => {
    listeners.push(listener);
    sizes.push(size);
    const write = (bytes: Uint8Array): number => {
      written.push(new TextDecoder().decode(bytes));
      return takesInput ? 0 : 2 * 1024 * 1024;
    };
    const resize = (to: TerminalSize): void => void sizes.push(to);
    return ok({ write, resize, close: note("hung up") });
  };
  const peer: SocketPeer = {
    send: () => undefined,
    countWaiting: () => waitingOutput,
    close: (code) => note(`closed ${code}`)(),
  };
  const handler = bridgeTerminal({ ...context, terminals: { ...context.terminals, open } }, rooms, {
    job: createRunning("a"),
    options: { size: { columns: 80, rows: 24 }, kind: "xterm" },
    isReadOnly,
    onEnd: note("place free"),
  });
  handler.onOpen(peer);
  return {
    rooms,
    handler,
    written,
    sizes,
    happened,
    countOpened: () => listeners.length,
    countViewers: async () =>
      readFigure(await (await call("GET", "/metrics")).text(), "nexus_followers", { kind: "terminals" }),
    type: (keys: string) => handler.onMessage(toBytes(keys)),
    paint: () => listeners.at(-1)?.onOutput(toBytes("screen")),
    say: (last: string) => listeners.at(-1)?.onEnd(last),
    stopTaking: () => {
      takesInput = false;
    },
    fallBehind: () => {
      waitingOutput = 1024 * 1024;
      listeners.at(-1)?.onOutput(toBytes("flood"));
    },
    catchUp: (left = 0) => {
      waitingOutput = left;
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
  const { type, paint, fallBehind, catchUp, countOpened, happened, written } = openBridge();
  paint();
  fallBehind();
  type("a");
  catchUp(1);
  expect([happened, countOpened()]).toEqual([["hung up"], 1]);
  catchUp();
  expect(countOpened()).toBe(2);
  catchUp();
  expect(countOpened()).toBe(2);
  type("b");
  expect(written).toEqual([]);
  paint();
  expect(written).toEqual(["a", "b"]);
});

test("a viewer's window is what its terminal has, also of one that is opened anew", () => {
  const { handler, sizes, happened, paint, fallBehind, catchUp } = openBridge();
  paint();
  const [small, large] = [
    { columns: 70, rows: 20 },
    { columns: 200, rows: 60 },
  ];
  handler.onMessage(JSON.stringify(small));
  expect(sizes.at(-1)).toEqual(small);
  fallBehind();
  handler.onMessage(JSON.stringify(large));
  catchUp();
  expect([sizes.at(-1), happened]).toEqual([large, ["hung up"]]);
});

test("a viewer that has left makes no window smaller", () => {
  const staying = openBridge();
  const leaving = openBridge(false, staying.rooms);
  leaving.handler.onMessage('{"columns":40,"rows":10}');
  expect(staying.sizes.at(-1)).toEqual({ columns: 40, rows: 10 });
  leaving.handler.onClose();
  expect(staying.sizes.at(-1)).toEqual({ columns: 80, rows: 24 });
});

test("what one who only watches types is dropped", () => {
  const { type, paint, written } = openBridge(true);
  type("a");
  paint();
  type("b");
  expect(written).toEqual([]);
});

describe("once it is over, whoever ends it, a viewer's place is free, its terminal is hung up on and nothing comes of it", () => {
  const ways: readonly (readonly [string, string, (bridge: ReturnType<typeof openBridge>) => void])[] = [
    ["the viewer goes", "1000", ({ handler }) => handler.onClose()],
    ["the viewer detaches", "4000", ({ say }) => say("[detached from 1.a]")],
    ["the job ends", "4001", ({ say }) => say("[screen is terminating]")],
    ["it sends no size", "1007", ({ handler }) => handler.onMessage('{"columns":0,"rows":1}')],
    ["the job reads nothing", "1013", ({ stopTaking, type }) => [stopTaking(), type("a")]],
    ["the server stops", "1001", ({ rooms }) => rooms.closeAll(1001, "over")],
  ];
  test.each(ways)("%s", async (_what, code, end) => {
    const bridge = openBridge();
    const { happened, handler, rooms, written, countOpened } = bridge;
    bridge.paint();
    expect(await bridge.countViewers()).toBe(1);
    end(bridge);
    await waitUntil(() => happened.some((what) => what.startsWith("closed")), "the viewer is told");
    const typed = written.length;
    bridge.type("x");
    handler.onMessage('{"columns":5,"rows":5}');
    bridge.catchUp();
    handler.onClose();
    rooms.closeAll(1001, "over");
    expect(happened.toSorted()).toEqual([`closed ${code}`, "hung up", "place free"]);
    expect([written.length, countOpened(), await bridge.countViewers()]).toEqual([typed, 1, 0]);
  });
});
