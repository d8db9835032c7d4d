/** Of each attempt, in seconds; null where that was taken away. */
export type TimeLimits = Readonly<{ timeLimitS?: number | null; warnS?: number | null }>;
