import type { AskEnd, EndAddress } from "../../../tools/sockets/end-address.ts";
import { askProcNet, isReadable } from "../../../tools/sockets/proc-net.ts";
import { openSockDiag } from "../../../tools/sockets/sock-diag.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { isOwnerUid, judgeHolder, type UidRules } from "../../core/access/loopback.ts";
import type { Log } from "../../core/telemetry/log.ts";
import type { FindUserName } from "../machine/user-names.ts";

/**
 * Who made the other end, `far`, of a connection to the server's own, `near`. The kernel is asked before this returns, so the
 * answer is of that moment; only the name may come later.
 */
export type FindHolder = (near: EndAddress, far: EndAddress) => Promise<LocalUser | null>;

export type HolderOptions = Readonly<{ serverUser: string; rules: UidRules; findName: FindUserName; log: Log }>;

const ROOT = 0;
const HOST = "127.0.0.1";
const NO_PORT = 1;

const canSee = (ask: AskEnd): boolean => {
  const listener = Bun.listen({ hostname: HOST, port: 0, socket: { data: () => undefined } });
  const seen = ask({ own: { address: HOST, port: listener.port }, other: { address: HOST, port: NO_PORT } });
  listener.stop(true);
  return seen !== null;
};

const chooseAsk = (log: Log): AskEnd => {
  const netlink = openSockDiag();
  if (netlink.ok && canSee(netlink.value)) return netlink.value;
  if (isReadable()) {
    log.warn("netlink is closed: who connects by loopback is looked up in /proc, which is slow");
    return askProcNet;
  }
  log.warn("the kernel does not say who connects by loopback: everybody there needs a token");
  return () => null;
};

export const createFindHolder = ({ serverUser, rules, findName, log }: HolderOptions): FindHolder => {
  const ask = chooseAsk(log);
  const name = async (uid: number | null): Promise<LocalUser | null> => {
    if (uid === null) return null;
    if (isOwnerUid(uid, rules)) return { user: uid === ROOT ? "root" : serverUser, isOwner: true };
    const user = await findName(uid);
    return user === null ? null : { user, isOwner: false };
  };
  return (near, far) => {
    const other = ask({ own: far, other: near });
    return name(judgeHolder({ far: other, near: ask({ own: near, other: far }) }, rules));
  };
};
