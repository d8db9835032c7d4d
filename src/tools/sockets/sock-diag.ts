import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { type AskEnd, type EndQuestion, type KernelEnd, toBytes } from "./end-address.ts";
import { openLibc } from "./open-libc.ts";

type Libc = Readonly<{
  socket: (family: number, type: number, protocol: number) => number;
  send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
}>;

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2_000_003;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
const MSG_DONTWAIT = 0x40;
const IPV6_BYTES = 16;
const ANY = 0xffff_ffff;

const REQUEST_BYTES = 72;
const ANSWER_BYTES = 1024;
const MAX_STALE_ANSWERS = 8;

const HEADER = { length: 0, type: 4, flags: 6, sequence: 8 } as const;
const REQUEST = {
  family: 16,
  protocol: 17,
  states: 20,
  ownPort: 24,
  otherPort: 26,
  own: 28,
  other: 44,
  cookie: 64,
} as const;
const ANSWER = { state: 17, uid: 80, inode: 84, end: 88 } as const;

const renderRequest = ({ own, other }: EndQuestion, sequence: number): Uint8Array | null => {
  const [ownBytes, otherBytes] = [toBytes(own.address), toBytes(other.address)];
  if (ownBytes === null || otherBytes === null || ownBytes.length !== otherBytes.length) return null;
  const bytes = new Uint8Array(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.length, REQUEST_BYTES, true);
  view.setUint16(HEADER.type, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(HEADER.flags, NLM_F_REQUEST, true);
  view.setUint32(HEADER.sequence, sequence, true);
  view.setUint8(REQUEST.family, ownBytes.length === IPV6_BYTES ? AF_INET6 : AF_INET);
  view.setUint8(REQUEST.protocol, IPPROTO_TCP);
  view.setUint32(REQUEST.states, ANY, true);
  view.setUint16(REQUEST.ownPort, own.port);
  view.setUint16(REQUEST.otherPort, other.port);
  bytes.set(ownBytes, REQUEST.own);
  bytes.set(otherBytes, REQUEST.other);
  view.setBigUint64(REQUEST.cookie, 0xffff_ffff_ffff_ffffn, true);
  return bytes;
};

const readAnswer = (view: DataView): KernelEnd | null =>
  view.getUint16(HEADER.type, true) === SOCK_DIAG_BY_FAMILY && view.getUint32(HEADER.length, true) >= ANSWER.end
    ? {
        state: view.getUint8(ANSWER.state),
        uid: view.getUint32(ANSWER.uid, true),
        inode: view.getUint32(ANSWER.inode, true),
      }
    : null;

const createAsk = ({ send, recv }: Libc, fd: number): AskEnd => {
  const answer = new Uint8Array(ANSWER_BYTES);
  const view = new DataView(answer.buffer);
  let sequence = 0;
  const receive = (): KernelEnd | null => {
    for (let stale = 0; stale < MAX_STALE_ANSWERS; stale += 1) {
      if (recv(fd, answer, ANSWER_BYTES, MSG_DONTWAIT) <= 0) return null;
      if (view.getUint32(HEADER.sequence, true) === sequence) return readAnswer(view);
    }
    return null;
  };
  return (question) => {
    sequence = (sequence + 1) >>> 0;
    const request = renderRequest(question, sequence);
    return request !== null && send(fd, request, REQUEST_BYTES, 0) === REQUEST_BYTES ? receive() : null;
  };
};

/** Asks by netlink (`sock_diag(7)`), whose answer is there when the question has been sent. */
export const openSockDiag = (): Result<AskEnd, Problem> => {
  const libc = openLibc<Libc>({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    send: { args: ["i32", "ptr", "usize", "i32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i32" },
  });
  if (!libc.ok) return libc;
  const fd = libc.value.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  return fd < 0 ? err({ message: "netlink is closed" }) : ok(createAsk(libc.value, fd));
};
