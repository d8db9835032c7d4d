import { toWireJob } from "../../core/jobs/wire-job.ts";
import type { StoreChange } from "../../core/store.ts";
import { createEventRing, type EventRing, type RingLimits } from "./event-ring.ts";

/** `waitForChange` resolves with the next change, at the feed's end, or when the time is over. */
export type EventFeed = Readonly<{
  publish: (changes: readonly StoreChange[]) => void;
  follow: (lastEventId: string | null, onEnd?: () => void) => ReadableStream<Uint8Array>;
  waitForChange: (timeoutMs: number) => Promise<void>;
  close: () => void;
}>;

/** `epoch` is another one after each start of the server. `limits` are of what is kept for readers to come back to. */
export type EventFeedOptions = Readonly<{
  epoch: string;
  keepAliveMs?: number;
  limits?: RingLimits;
}>;

type Bell = Readonly<{ ring: () => void; wait: (timeoutMs: number) => Promise<void> }>;

const KEEP_ALIVE_MS = 15_000;
const RETRY_MS = 1_000;
const NOTHING: RingLimits = { changes: 0, characters: 0 };
const LIMITS: RingLimits = { changes: 20_000, characters: 8 * 1024 * 1024 };
const MAX_CHUNK_CHARACTERS = 64 * 1024;
const KEEP_ALIVE = ": keep-alive\n\n";

const createBell = (): Bell => {
  const waiting = new Set<() => void>();
  const ring = (): void => {
    for (const wake of waiting) wake();
  };
  const wait = (timeoutMs: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      waiting.add(wake);
    });
  return { ring, wait };
};

const describeChange = (change: StoreChange): readonly [string, unknown] => {
  switch (change.kind) {
    case "job":
      return ["job", toWireJob(change.job)];
    case "removal":
      return ["job_removed", { id: change.id }];
    case "blacklist":
      return ["gpu", { gpu_idx: change.gpuIdx, blacklisted: change.blacklisted, changed: true }];
  }
};

const renderEvent = (id: string, name: string, data: unknown): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const parseNumber = (lastEventId: string, epoch: string): number =>
  lastEventId.startsWith(`${epoch}-`) ? Number(/-(\d{1,15})$/.exec(lastEventId)?.[1] ?? -1) : -1;

type Reader = Readonly<{ next: () => string | null }>;

const greet = (id: string | null): string => `retry: ${RETRY_MS}\n${id === null ? "" : `id: ${id}\n`}\n`;

const createReader = (ring: EventRing, epoch: string, lastEventId: string | null): Reader => {
  let position = lastEventId === null ? ring.last() : parseNumber(lastEventId, epoch);
  let greeting = greet(lastEventId === null ? `${epoch}-${position}` : null);
  const isLost = (): boolean => position < ring.first() - 1 || position > ring.last();
  const skip = (): string => {
    position = ring.last();
    return renderEvent(`${epoch}-${position}`, "resync", {});
  };
  const readOne = (): string | null => {
    const change = ring.read(position + 1);
    if (change === undefined) return null;
    position += 1;
    return renderEvent(`${epoch}-${position}`, ...describeChange(change));
  };
  const readSome = (): string => {
    let text = greeting;
    greeting = "";
    if (isLost()) return text + skip();
    for (let event = readOne(); event !== null; event = text.length < MAX_CHUNK_CHARACTERS ? readOne() : null)
      text += event;
    return text;
  };
  return { next: () => readSome() || null };
};

type Following = Readonly<{
  reader: Reader;
  wait: () => Promise<void>;
  isClosed: () => boolean;
  onEnd: () => void;
}>;

const readText = async ({ reader, wait }: Following, isOver: () => boolean): Promise<string | null> => {
  const text = reader.next();
  if (text !== null || isOver()) return text;
  await wait();
  return isOver() ? null : (reader.next() ?? KEEP_ALIVE);
};

const createStream = (following: Following, onCancel: () => void): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  let isCancelled = false;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const text = await readText(following, () => isCancelled || following.isClosed());
    if (isCancelled) return;
    if (text !== null) return controller.enqueue(encoder.encode(text));
    following.onEnd();
    controller.close();
  };
  const cancel = (): void => {
    isCancelled = true;
    following.onEnd();
    onCancel();
  };
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
};

/**
 * The changes of jobs and of the blacklist as server-sent events. Readers share one bounded ring and keep a place in it,
 * so one that does not read costs nothing; where it has fallen behind the ring it is told to read everything anew.
 * Nothing is kept before the first reader comes.
 */
export const createEventFeed = (options: EventFeedOptions): EventFeed => {
  const { epoch, keepAliveMs = KEEP_ALIVE_MS, limits = LIMITS } = options;
  const bell = createBell();
  let hasReaders = false;
  let isClosed = false;
  const ring = createEventRing(() => (hasReaders ? limits : NOTHING));
  const follow: EventFeed["follow"] = (lastEventId, onEnd = () => undefined) => {
    hasReaders = true;
    const reader = createReader(ring, epoch, lastEventId);
    return createStream({ reader, wait: () => bell.wait(keepAliveMs), isClosed: () => isClosed, onEnd }, bell.ring);
  };
  const publish = (changes: readonly StoreChange[]): void => {
    ring.push(changes);
    bell.ring();
  };
  const close = (): void => {
    isClosed = true;
    bell.ring();
  };
  return { publish, follow, waitForChange: bell.wait, close };
};
