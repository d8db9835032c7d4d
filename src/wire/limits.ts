export const MAX_ARTIFACT_BYTES = 52_428_800;

export const MAX_BATCH_SIZE = 10_000;

export const MAX_TERMINAL_SIDE = 1000;
