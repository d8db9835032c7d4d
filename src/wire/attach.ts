/** With which codes the server closes the WebSocket of a job's terminal. All but `leaving`, `refused` and `overrun` are final. */
export const CLOSE_CODES = {
  gone: 1000,
  leaving: 1001,
  mistaken: 1007,
  refused: 1008,
  overrun: 1013,
  detached: 4000,
  ended: 4001,
  failed: 4002,
} as const;
