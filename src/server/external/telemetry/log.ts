import pino from "pino";
import { maskFields } from "../../../base/secret-names.ts";
import { createLineBuffer } from "../../../tools/line-buffer.ts";
import { LOG_LEVELS, type LogLevel } from "../../core/settings/settings.ts";
import type { Log } from "../../core/telemetry/log.ts";

type Fields = Readonly<Record<string, unknown>>;
type Write = (level: LogLevel, event: string, fields: Fields) => void;

const renderValue = (value: unknown): string =>
  typeof value === "string" && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);

const renderFields = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => ` ${name}=${renderValue(value)}`)
    .join("");

const writeReadable: Write = (level, event, fields) => {
  const time = new Date().toLocaleTimeString("en-GB");
  process.stdout.write(`${time} ${level.padEnd(5)} ${event}${renderFields(fields)}\n`);
};

const createJsonWriter = (): Write => {
  const output = pino.destination({ sync: true });
  const write = createLineBuffer((text) => output.write(text));
  const logger = pino({ base: null, level: "debug", timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return (level, event, fields) => logger[level](fields, event);
};

const isWritten = (level: LogLevel, lowest: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest);

/** One readable line an event on a terminal, one JSON document a line elsewhere; nothing below the level. */
export const createLog = (isTerminal: boolean, lowest: LogLevel = "info"): Log => {
  const write = isTerminal ? writeReadable : createJsonWriter();
  const at =
    (level: LogLevel): Log["info"] =>
    (event, fields = {}) =>
      write(level, event, maskFields(fields));
  const skip = (): void => undefined;
  const choose = (level: LogLevel): Log["info"] => (isWritten(level, lowest) ? at(level) : skip);
  return { debug: choose("debug"), info: choose("info"), warn: choose("warn"), error: choose("error") };
};
