const CTRL_A = 1;
const CTRL_C = 3;
const LETTERS: ReadonlySet<number> = new Set([..."dD"].map((letter) => letter.charCodeAt(0)));

/** Tells of each piece of what is typed whether it ends with leaving: Ctrl-A D or Ctrl-C. */
export const createDetachKeys = (): ((keys: Uint8Array) => boolean) => {
  let isPrefixed = false;
  return (keys) => {
    for (const key of keys) {
      if (key === CTRL_C || (isPrefixed && LETTERS.has(key))) return true;
      isPrefixed = key === CTRL_A;
    }
    return false;
  };
};
