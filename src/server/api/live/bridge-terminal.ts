import { z } from "zod";
import { CLOSE_CODES } from "../../../wire/attach.ts";
import { MAX_TERMINAL_SIDE } from "../../../wire/limits.ts";
import { isEnded, type RunningJob } from "../../core/jobs/job.ts";
import type { JobTerminal, SocketHandler, SocketPeer, TerminalOptions } from "../../core/running/job-terminal.ts";
import type { ApiContext } from "../context.ts";
import type { Viewer, ViewingRooms } from "./viewing-rooms.ts";

export type Viewing = Readonly<{
  job: RunningJob;
  options: TerminalOptions;
  isReadOnly: boolean;
  onEnd: () => void;
}>;

type Bridge = Readonly<{ context: ApiContext; rooms: ViewingRooms; viewing: Viewing }>;
type View = {
  readonly peer: SocketPeer;
  readonly viewer: Viewer;
  readonly stopCounting: () => void;
  size: TerminalOptions["size"];
  shown: TerminalOptions["size"];
  terminal: JobTerminal | null;
  isPainted: boolean;
  typed: Uint8Array[];
  typedBytes: number;
  isOver: boolean;
};

const MAX_WAITING_OUTPUT = 256 * 1024;
const MAX_WAITING_INPUT = 1024 * 1024;
const BYTES_PER_PIECE = 100;
const MAX_REASON_CHARACTERS = 100;
const END_PATIENCE_MS = 10_000;
const DETACHED = /\[(remote |power )?detached\b/;

const side = z.int().min(1).max(MAX_TERMINAL_SIDE);
const sizeSchema = z.object({ columns: side, rows: side });

const parseSize = (text: string): TerminalOptions["size"] | null => {
  try {
    return sizeSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
};

const waitForEnd = async ({ context, viewing }: Bridge): Promise<boolean> => {
  const deadline = performance.now() + END_PATIENCE_MS;
  for (;;) {
    const job = context.store.findJob(viewing.job.id);
    if (job === null || isEnded(job) || job.status === "queued") return true;
    const patienceMs = deadline - performance.now();
    if (patienceMs <= 0 || context.isStopping()) return false;
    await context.feed.waitForChange(patienceMs);
  }
};

const end = (bridge: Bridge, view: View, code: number, reason: string): void => {
  if (view.isOver) return;
  view.isOver = true;
  view.stopCounting();
  bridge.viewing.onEnd();
  view.terminal?.close();
  view.terminal = null;
  bridge.rooms.leave(bridge.viewing.job.id, view.viewer);
  view.peer.close(code, reason);
};

const explainEnd = async (bridge: Bridge, view: View, lastOutput: string): Promise<void> => {
  if (DETACHED.test(lastOutput)) return end(bridge, view, CLOSE_CODES.detached, "detached");
  if (await waitForEnd(bridge)) return end(bridge, view, CLOSE_CODES.ended, "the job has ended");
  const lastLine = lastOutput.replaceAll(/[^ -~]+/g, " ").trim();
  end(bridge, view, CLOSE_CODES.failed, `the terminal was closed: ${lastLine.slice(-MAX_REASON_CHARACTERS)}`);
};

const writeTyped = (view: View): void => {
  for (const keys of view.typed) view.terminal?.write(keys);
  view.typed = [];
  view.typedBytes = 0;
};

const showOutput = (view: View, bytes: Uint8Array): void => {
  view.peer.send(bytes);
  view.isPainted = true;
  writeTyped(view);
  if (view.peer.countWaiting() <= MAX_WAITING_OUTPUT) return;
  view.terminal?.close();
  view.terminal = null;
};

const openTerminal = (bridge: Bridge, view: View): void => {
  view.isPainted = false;
  const { context, viewing } = bridge;
  const argv = context.executor.attachCommand(viewing.job.handle);
  const opened = context.terminals.open(
    argv,
    { ...viewing.options, size: view.shown },
    {
      onOutput: (bytes) => showOutput(view, bytes),
      onEnd: (lastOutput) => void explainEnd(bridge, view, lastOutput),
    },
  );
  if (opened.ok) view.terminal = opened.value;
  else end(bridge, view, CLOSE_CODES.failed, opened.error.message.slice(0, MAX_REASON_CHARACTERS));
};

const createView = (bridge: Bridge, peer: SocketPeer): View => {
  const { size } = bridge.viewing.options;
  const viewer: Viewer = {
    isReadOnly: bridge.viewing.isReadOnly,
    readSize: () => view.size,
    resize: (shown) => {
      view.shown = shown;
      view.terminal?.resize(shown);
    },
    leave: (code, reason) => end(bridge, view, code, reason),
  };
  const stopCounting = bridge.context.meter.addFollower("terminals");
  const typing = { isPainted: false, typed: [], typedBytes: 0 };
  const state = { size, shown: size, terminal: null, ...typing, isOver: false };
  const view: View = { peer, viewer, stopCounting, ...state };
  return view;
};

const enter = (bridge: Bridge, peer: SocketPeer): View => {
  const { context, rooms, viewing } = bridge;
  const { executor, terminals } = context;
  const view = createView(bridge, peer);
  rooms.join(viewing.job.id, view.viewer, (size) => terminals.run(executor.fitCommand(viewing.job.handle, size)));
  openTerminal(bridge, view);
  return view;
};

const changeSize = (bridge: Bridge, view: View, size: View["size"]): void => {
  view.size = size;
  bridge.rooms.update(bridge.viewing.job.id);
};

const takeText = (bridge: Bridge, view: View, text: string): void => {
  const size = parseSize(text);
  if (size === null) end(bridge, view, CLOSE_CODES.mistaken, 'a text frame is {"columns":N,"rows":N}');
  else changeSize(bridge, view, size);
};

const keepTyped = (view: View, bytes: Uint8Array): number => {
  view.typed.push(bytes.slice());
  view.typedBytes += bytes.byteLength + BYTES_PER_PIECE;
  return view.typedBytes;
};

const takeInput = (bridge: Bridge, view: View, bytes: Uint8Array): void => {
  if (bridge.viewing.isReadOnly) return;
  const { terminal } = view;
  const waiting = terminal !== null && view.isPainted ? terminal.write(bytes) : keepTyped(view, bytes);
  if (waiting > MAX_WAITING_INPUT) end(bridge, view, CLOSE_CODES.overrun, "the job does not read its input");
};

/**
 * Shows a job's terminal at the far end of a WebSocket. A viewer that does not keep up loses its terminal until it has
 * taken what waits, and then gets a new one, which paints the screen as it is by then: nothing piles up and the job is
 * not held back. What is typed before a terminal has painted waits for it, as until then a Ctrl-C would end the painter.
 */
export const bridgeTerminal = (context: ApiContext, rooms: ViewingRooms, viewing: Viewing): SocketHandler => {
  const bridge: Bridge = { context, rooms, viewing };
  let view: View | null = null;
  return {
    onOpen: (peer) => {
      view = enter(bridge, peer);
    },
    onMessage: (message) => {
      if (view === null || view.isOver) return;
      if (typeof message === "string") takeText(bridge, view, message);
      else takeInput(bridge, view, message);
    },
    onDrain: () => {
      if (view === null || view.isOver || view.terminal !== null || view.peer.countWaiting() > 0) return;
      openTerminal(bridge, view);
    },
    onClose: () => view !== null && end(bridge, view, CLOSE_CODES.gone, ""),
  };
};
