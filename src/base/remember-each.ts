/** The same, done once for each value for as long as that is held by somebody. */
export const rememberEach = <Key extends object, Value>(work: (key: Key) => Value): ((key: Key) => Value) => {
  const known = new WeakMap<Key, Readonly<{ value: Value }>>();
  return (key) => {
    const found = known.get(key) ?? { value: work(key) };
    known.set(key, found);
    return found.value;
  };
};

/** The same by a text, for good. */
export const rememberText = <Value>(work: (text: string) => Value): ((text: string) => Value) => {
  const known = new Map<string, Readonly<{ value: Value }>>();
  return (text) => {
    const found = known.get(text) ?? { value: work(text) };
    known.set(text, found);
    return found.value;
  };
};
