export type Held = Readonly<{ push: (bytes: Uint8Array) => void; release: () => void; drop: () => void }>;

const MAX_HELD_BYTES = 256 * 1024;

/** Keeps what comes back for so long, or until it is much; then everything passes at once. `drop` forgets what is held. */
export const holdOutput = (holdMs: number, pass: (bytes: Uint8Array) => void): Held => {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isHolding = true;
  const drop = (): void => {
    clearTimeout(timer);
    held = [];
    isHolding = false;
  };
  const release = (): void => {
    const kept = held;
    drop();
    for (const bytes of kept) pass(bytes);
  };
  const keep = (bytes: Uint8Array): void => {
    held.push(bytes);
    heldBytes += bytes.byteLength;
    if (heldBytes > MAX_HELD_BYTES) release();
  };
  const timer = setTimeout(release, holdMs);
  const push = (bytes: Uint8Array): void => {
    if (isHolding) keep(bytes);
    else pass(bytes);
  };
  return { push, release, drop };
};
