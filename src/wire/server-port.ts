/** Where a server listens unless it is told otherwise. */
export const SERVER_PORT = 54_323;
