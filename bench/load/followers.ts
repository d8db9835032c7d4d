import { connect, type Socket } from "node:net";
import type { Tally } from "./tally.ts";

/** `reading` takes all that comes, `slow` one piece a second, `never` nothing at all. */
export type Manner = "reading" | "slow" | "never";

export type Followers = Readonly<{ close: () => void; countCut: () => number }>;

const STAMP = /T(\d{13}) /g;
const SLOW_MS = 1000;

/** A line for a job that prints its time, `bytes` long, some 20 times a second. */
export const renderTalker = (bytes: number): string =>
  `pad=$(printf '%${bytes}s' | tr ' ' x); head -c 6000000 /dev/zero | tr '\\0' y | fold -w 1000; ` +
  `while :; do t=\${EPOCHREALTIME/[.,]/}; echo "T\${t::13} $pad"; sleep 0.05; done`;

const readSlowly = (socket: Socket): void => {
  socket.on("data", () => {
    socket.pause();
    setTimeout(() => socket.resume(), SLOW_MS);
  });
};

const readAtOnce = (socket: Socket, lag: Tally): void => {
  socket.on("data", (data) => {
    for (const [, stamp] of data.toString("latin1").matchAll(STAMP)) lag.add(200, Date.now() - Number(stamp));
  });
};

const start = (url: URL, id: string, manner: Manner, lag: Tally): Socket => {
  const socket = connect(Number(url.port), url.hostname);
  if (manner === "reading") readAtOnce(socket, lag);
  if (manner === "slow") readSlowly(socket);
  if (manner === "never") socket.pause();
  const query = manner === "reading" ? "?last_n_lines=1" : "";
  socket.write(`GET /v1/jobs/${id}/logs/stream${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
};

/** Readers of a talker's log; `lag` takes how late each line comes to those that read. */
export const startFollowers = (
  url: string,
  id: string,
  counts: Readonly<Record<Manner, number>>,
  lag: Tally,
): Followers => {
  let cut = 0;
  let isOver = false;
  const sockets = (["reading", "slow", "never"] as const).flatMap((manner) =>
    Array.from({ length: counts[manner] }, () => start(new URL(url), id, manner, lag)),
  );
  for (const socket of sockets) {
    socket.on("error", () => undefined);
    socket.on("close", () => (cut += isOver ? 0 : 1));
  }
  return {
    countCut: () => cut,
    close: () => {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
  };
};
