/** What the work comes to, null when that takes longer. */
export const withinLimit = async <Value>(work: Promise<Value>, limitMs: number): Promise<Value | null> => {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), limitMs);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
};
