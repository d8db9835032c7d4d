/** What one of two joined sockets still has to send, and to whom it is joined. */
export type Half = { peer: Bun.Socket<Half> | null; waiting: Uint8Array | null; isEnding: boolean };

export const createHalf = (): Half => ({ peer: null, waiting: null, isEnding: false });

const send = (socket: Bun.Socket<Half>, bytes: Uint8Array): void => {
  const written = Math.max(0, socket.write(bytes));
  socket.data.waiting = written === bytes.length ? null : bytes.subarray(written);
  if (socket.data.waiting === null) socket.data.peer?.resume();
  else socket.data.peer?.pause();
};

const end = (socket: Bun.Socket<Half>): void => {
  socket.data.isEnding = true;
  if (socket.data.waiting === null) socket.end();
};

const concat = (first: Uint8Array | null, second: Uint8Array): Uint8Array =>
  first === null ? second : Buffer.concat([first, second]);

/** Passes the bytes of each to the other, at the pace of the slower; who speaks before it is joined is cut off. */
export const JOINED: Omit<Bun.SocketHandler<Half>, "open"> = {
  data: (socket, bytes) => {
    const { peer } = socket.data;
    if (peer === null) socket.terminate();
    else send(peer, concat(peer.data.waiting, bytes));
  },
  drain: (socket) => {
    const { waiting } = socket.data;
    if (waiting !== null) send(socket, waiting);
    if (socket.data.isEnding && socket.data.waiting === null) socket.end();
  },
  close: ({ data }) => {
    if (data.peer !== null) end(data.peer);
  },
  error: (socket) => socket.terminate(),
};

/** They do not keep the process: who waits for an answer does. */
export const joinSockets = (one: Bun.Socket<Half>, other: Bun.Socket<Half>): void => {
  one.data.peer = other;
  other.data.peer = one;
  one.unref();
  other.unref();
};
