const SANE = /^[A-Za-z0-9._:-]{1,64}$/;

/** The id that the client sent, if it is one that a log can hold, otherwise the fresh one. */
export const chooseRequestId = (sent: string | null, createFresh: () => string): string =>
  sent !== null && SANE.test(sent) ? sent : createFresh();
