import type { SocketHandler } from "../../core/running/job-terminal.ts";

const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const IDLE_TIMEOUT_S = 120;

/** A silent peer is pinged, and given up after the idle timeout. */
export const createWebSockets = (): Bun.WebSocketHandler<SocketHandler> => ({
  idleTimeout: IDLE_TIMEOUT_S,
  maxPayloadLength: MAX_MESSAGE_BYTES,
  backpressureLimit: MAX_WAITING_BYTES,
  closeOnBackpressureLimit: true,
  open: (socket) =>
    socket.data.onOpen({
      send: (bytes) => void socket.sendBinary(bytes as Uint8Array<ArrayBuffer>),
      countWaiting: () => socket.getBufferedAmount(),
      close: (code, reason) => socket.close(code, reason),
    }),
  message: (socket, message) => socket.data.onMessage(message),
  drain: (socket) => socket.data.onDrain(),
  close: (socket) => socket.data.onClose(),
});
