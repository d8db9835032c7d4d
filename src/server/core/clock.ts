/** Unix seconds, with fractions. */
export type Clock = () => number;

/** Seconds since the machine's boot, which it names: a clock that nobody sets, and that goes on while the server is down. */
export type BootTime = Readonly<{ bootId: string; s: number }>;
