import { writeSync } from "node:fs";

const STANDARD_ERROR = 2;
const REDRAW_MS = 100;
const MIB = 1024 * 1024;

/** A body that is read from `blob` and shows on the terminal how much of it has been taken; one line, drawn again and again. */
export const showProgress = (blob: Blob): ReadableStream<Uint8Array> => {
  let sent = 0;
  let drawnAt = 0;
  const draw = (end: string): void => {
    drawnAt = performance.now();
    const text = `${(sent / MIB).toFixed(1)} of ${(blob.size / MIB).toFixed(1)} MiB`;
    writeSync(STANDARD_ERROR, `\rSending the code: ${text}${end}`);
  };
  return blob.stream().pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        controller.enqueue(piece);
        sent += piece.byteLength;
        if (performance.now() - drawnAt > REDRAW_MS) draw("");
      },
      flush: () => draw("\n"),
    }),
  );
};
