type Fields = Readonly<Record<string, unknown>>;
type Write = Log["info"];

/** The same log, with these fields in front of those of each line. */
export const scopeLog = (log: Log, scope: Fields): Log => {
  const within =
    (write: Write): Write =>
    (event, fields) =>
      write(event, { ...scope, ...fields });
  return { debug: within(log.debug), info: within(log.info), warn: within(log.warn), error: within(log.error) };
};

export type Log = Readonly<{
  debug: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  info: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  warn: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  error: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}>;
