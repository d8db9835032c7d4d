export const LOOPBACK_TRUST = ["owner", "anyone", "nobody"] as const;

/** Who needs no token on loopback: those whom the kernel names, everybody without being asked for a name, or nobody. */
export type LoopbackTrust = (typeof LOOPBACK_TRUST)[number];

/** What the kernel shows of one end of a TCP connection; `state` as in the kernel's `tcp_states.h`. */
export type SocketEnd = Readonly<{ state: number; uid: number; inode: number }>;

/** The server's own end, `near`, is looked at after the other; null is one that is not there. */
export type ConnectionEnds = Readonly<{ far: SocketEnd | null; near: SocketEnd | null }>;

/** `serverUid` is the server's own, `minUid` the least that a person has, `overflowUid` what stands for all of other namespaces; null where there are none. */
export type UidRules = Readonly<{ serverUid: number; minUid: number; overflowUid: number | null }>;

const ESTABLISHED = 1;
const ROOT = 0;
const NOBODY: ReadonlySet<number> = new Set([65_534, 65_535, 0xffff_ffff]);

const isHeld = (end: SocketEnd | null): end is SocketEnd =>
  end !== null && end.state === ESTABLISHED && end.inode !== 0;

/** Who may be anybody: but for the server's own user where no other namespace has any. */
export const isNobody = (uid: number, { serverUid, overflowUid }: Omit<UidRules, "minUid">): boolean =>
  uid === overflowUid || (NOBODY.has(uid) && (overflowUid !== null || uid !== serverUid));

export const isOwnerUid = (uid: number, { serverUid }: Pick<UidRules, "serverUid">): boolean =>
  uid === ROOT || uid === serverUid;

/**
 * The uid of who made the other end of a connection. Null for what is closed or about to be, of which the kernel says uid 0,
 * for services, which may forward what others send, and for users of other namespaces.
 */
export const judgeHolder = ({ far, near }: ConnectionEnds, rules: UidRules): number | null => {
  if (!isHeld(far) || !isHeld(near) || isNobody(far.uid, rules)) return null;
  return isOwnerUid(far.uid, rules) || far.uid >= rules.minUid ? far.uid : null;
};
