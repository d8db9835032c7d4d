import pino from "pino";
import type { Log } from "../core/ports.ts";

type Fields = Readonly<Record<string, unknown>>;
type Level = "info" | "warn" | "error";

const renderValue = (value: unknown): string =>
  typeof value === "string" && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);

const renderFields = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => ` ${name}=${renderValue(value)}`)
    .join("");

const writeLine = (level: Level, event: string, fields: Fields): void => {
  const time = new Date().toLocaleTimeString("en-GB");
  process.stdout.write(`${time} ${level.padEnd(5)} ${event}${renderFields(fields)}\n`);
};

const createReadableLog = (): Log => ({
  info: (event, fields = {}) => writeLine("info", event, fields),
  warn: (event, fields = {}) => writeLine("warn", event, fields),
  error: (event, fields = {}) => writeLine("error", event, fields),
});

const createJsonLog = (): Log => {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ sync: true }));
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  };
};

/** One readable line an event on a terminal, one JSON document a line elsewhere. */
export const createLog = (isTerminal: boolean): Log => (isTerminal ? createReadableLog() : createJsonLog());
