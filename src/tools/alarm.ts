/** `wait` ends after the time given, or at once when it was rung since the last wait ended. */
export type Alarm = Readonly<{ ring: () => void; wait: (timeoutMs: number) => Promise<void> }>;

export const createAlarm = (): Alarm => {
  let isRung = false;
  let release: (() => void) | null = null;

  const ring = (): void => {
    isRung = true;
    release?.();
  };

  const wait = async (timeoutMs: number): Promise<void> => {
    if (!isRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      release = resolve;
      await promise;
      clearTimeout(timer);
    }
    release = null;
    isRung = false;
  };

  return { ring, wait };
};
