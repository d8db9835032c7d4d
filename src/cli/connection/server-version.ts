import { escapeText } from "../../base/escape-text.ts";
import { VERSION } from "../../base/version.ts";
import type { Failure } from "../../command-line/command.ts";
import { FAILED } from "../../command-line/usage.ts";

const SERVER = "the server";
const CLIENT = "this client";

const readNumbers = (version: string): readonly number[] =>
  (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);

const findOlder = (server: string, client: string): string => {
  const [ours, theirs] = [readNumbers(client), readNumbers(server)];
  const place = theirs.findIndex((number, index) => number !== ours[index]);
  if (place === -1) return client.includes("-") ? CLIENT : SERVER;
  return (theirs[place] ?? 0) > (ours[place] ?? 0) ? CLIENT : SERVER;
};

const isOtherMajor = (server: string, client: string): boolean => readNumbers(server)[0] !== readNumbers(client)[0];

/** What is worth telling about a server of this version, null when there is nothing. */
export const describeVersion = (server: string, client: string = VERSION): string | null => {
  if (server === client) return null;
  const both = `${SERVER} is ${escapeText(server)}, ${CLIENT} ${client}`;
  const older = findOlder(server, client);
  return isOtherMajor(server, client)
    ? `${both}, which do not work together: upgrade ${older}`
    : `${both}; they work together, but ${older} lacks what is new`;
};

/** Why nothing is asked of a server of this version; null when it can be. */
export const refuseVersion = (server: string, client: string = VERSION): Failure | null =>
  isOtherMajor(server, client) ? { exitCode: FAILED, message: describeVersion(server, client) ?? "" } : null;
