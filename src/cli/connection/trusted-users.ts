import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { LOCAL_SOCKET, SERVICE_UNIT } from "../../wire/local-socket.ts";

const ROOT = 0;

const findOwner = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.uid;

const listOwn = (): readonly number[] => [process.getuid?.() ?? ROOT, ROOT];

const listInstalled = (): readonly number[] => {
  const owner = findOwner(SERVICE_UNIT) === ROOT ? findOwner(dirname(LOCAL_SOCKET)) : undefined;
  return owner === undefined ? [] : [owner];
};

/** The numbers of the users whose server may be spoken to: oneself and root, on the whole machine that of the installed server, too. */
export const listTrusted = (whose: "own" | "machine"): readonly number[] =>
  whose === "own" ? listOwn() : [...listOwn(), ...listInstalled()];
