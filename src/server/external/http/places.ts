import { networkInterfaces } from "node:os";
import { isUnspecified } from "../../core/access/server-hosts.ts";

/** Addresses to listen on by one port. `areNested`: the first stands for all addresses, the others among them. */
export type Places = Readonly<{ addresses: readonly string[]; areNested: boolean }>;

const LOOPBACK = ["127.0.0.1", "::1"];

const listOwnAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

/**
 * Loopback is both of its addresses, so that nobody else can listen on the other. Where it is one among all, it is listened on
 * beside them: what comes to all addresses does not tell to which, and so not who made the connection.
 */
export const choosePlaces = (host: string, own: readonly string[] = listOwnAddresses()): Places => {
  const loopback = LOOPBACK.filter((address) => own.includes(address));
  const areNested = isUnspecified(host);
  const isLoopback = host === "localhost" || LOOPBACK.includes(host);
  const first = host === "localhost" ? (loopback[0] ?? host) : host;
  return { addresses: [...new Set([first, ...(areNested || isLoopback ? loopback : [])])], areNested };
};
