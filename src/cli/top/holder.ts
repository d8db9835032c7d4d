import type { TopState } from "./top-state.ts";

type Listener = (before: TopState, after: TopState) => void;

/** The one place where the state is kept. */
export type Holder = Readonly<{
  read: () => TopState;
  change: (next: (state: TopState) => TopState) => void;
  subscribe: (listener: Listener) => void;
}>;

export const createHolder = (first: TopState): Holder => {
  const listeners: Listener[] = [];
  let state = first;
  return {
    read: () => state,
    change: (next) => {
      const before = state;
      state = next(before);
      for (const listen of listeners) listen(before, state);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
};
