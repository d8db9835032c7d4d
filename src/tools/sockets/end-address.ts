/** One end of a connection. */
export type EndAddress = Readonly<{ address: string; port: number }>;

/** The end that is `own`, of the connection that leads to `other`. */
export type EndQuestion = Readonly<{ own: EndAddress; other: EndAddress }>;

/** What the kernel shows of one end; `state` as in its `tcp_states.h`, `inode` 0 as long as nobody has accepted it, or once it is closed. */
export type KernelEnd = Readonly<{ state: number; uid: number; inode: number }>;

/** What the kernel shows of that end; null where there is none. */
export type AskEnd = (question: EndQuestion) => KernelEnd | null;

const IPV4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i;
const IPV6_LOOPBACK = "::1";
const IPV6_BYTES = 16;

/** In the order of the network: 4 bytes of an IPv4 address, also of one in IPv6, 16 of `::1`; null for any other. */
export const toBytes = (address: string): Uint8Array | null => {
  if (address === IPV6_LOOPBACK) return new Uint8Array(IPV6_BYTES).fill(1, IPV6_BYTES - 1);
  const found = IPV4.exec(address);
  return found === null ? null : Uint8Array.from(found.slice(1).map(Number));
};
