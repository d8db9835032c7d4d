/** Runs the work given to it one piece after the other, in the order of the calls. */
export type Turnstile = <Value>(work: () => Promise<Value>) => Promise<Value>;

export const createTurnstile = (): Turnstile => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
};
