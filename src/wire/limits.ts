export const MAX_ARTIFACT_BYTES = 52_428_800;

/** Of what `nx run` takes from its standard input. */
export const MAX_INPUT_BYTES = 8 * 1024 * 1024;

export const MAX_BATCH_SIZE = 10_000;

/** Of GPUs that a client asks for by number. */
export const GPU_COUNT = { min: 0, max: 1024 } as const;

export const PRIORITY = { min: -9999, max: 9998 } as const;

export const MAX_TERMINAL_SIDE = 1000;

/** Used of a disk: above `scarce` somebody should make room, above `full` at once. */
export const DISK_PERCENT = { scarce: 90, full: 95 } as const;
