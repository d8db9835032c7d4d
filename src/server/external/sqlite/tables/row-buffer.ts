export type Row = Readonly<{ position: number; data: Uint8Array }>;

/** `add` answers with what did not fit. A taken row is good until the next `add`: the memory is used again. */
export type RowBuffer = Readonly<{
  add: (bytes: Uint8Array) => Uint8Array;
  isFull: () => boolean;
  take: () => Row;
  countTaken: () => number;
}>;

export const createRowBuffer = (rowBytes: number): RowBuffer => {
  const buffer = new Uint8Array(rowBytes);
  let held = 0;
  let taken = 0;
  return {
    add: (bytes) => {
      const fitting = bytes.subarray(0, rowBytes - held);
      buffer.set(fitting, held);
      held += fitting.length;
      return bytes.subarray(fitting.length);
    },
    isFull: () => held === rowBytes,
    take: () => {
      const row = { position: taken, data: buffer.subarray(0, held) };
      taken += 1;
      held = 0;
      return row;
    },
    countTaken: () => taken,
  };
};
