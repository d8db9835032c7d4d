import { afterEach, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { waitUntil } from "../../../tests/support/wait.ts";
import type { AskEnd, EndAddress, EndQuestion } from "./end-address.ts";
import { askProcNet } from "./proc-net.ts";
import { openSockDiag } from "./sock-diag.ts";

const ESTABLISHED = 1;
const LISTEN = 10;
const OWN = process.getuid?.() ?? 0;
const UNUSED: EndAddress = { address: "127.0.0.1", port: 1 };

const netlink: AskEnd = (question) => {
  const opened = openSockDiag();
  return opened.ok ? opened.value(question) : null;
};

let cleanUps: (() => unknown)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps) cleanUp();
  cleanUps = [];
});

const openPair = async (listenAt: string, connectTo: string): Promise<readonly [Socket, Socket]> => {
  const accepted = Promise.withResolvers<Socket>();
  const listening = Promise.withResolvers<void>();
  const server = createServer(accepted.resolve).listen(0, listenAt, listening.resolve);
  await listening.promise;
  const address = server.address();
  const connected = Promise.withResolvers<void>();
  const near = connect(typeof address === "object" ? (address?.port ?? 0) : 0, connectTo, connected.resolve);
  const [far] = await Promise.all([accepted.promise, connected.promise]);
  cleanUps.push(() => server.close(), ...[near, far].map((socket) => () => socket.destroy()));
  return [near, far];
};

const describeEnds = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): EndQuestion => ({
  own: { address: remoteAddress ?? "", port: remotePort ?? 0 },
  other: { address: localAddress ?? "", port: localPort ?? 0 },
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "::1"],
  ["::", "127.0.0.1"],
  ["::", "::1"],
  ["0.0.0.0", "::ffff:127.0.0.1"],
])("who listens at %s is told to who connected to %s, by netlink and by /proc alike", async (listenAt, connectTo) => {
  const [near] = await openPair(listenAt, connectTo);
  const question = describeEnds(near);
  const found = netlink(question);
  expect(found).toEqual({ state: ESTABLISHED, uid: OWN, inode: expect.any(Number) });
  expect(found?.inode).toBeGreaterThan(0);
  expect(askProcNet(question)).toEqual(found);
  expect(netlink({ own: question.other, other: question.own })).toMatchObject({ state: ESTABLISHED, uid: OWN });
});

test("what is closed, or was never there, is not held by anybody", async () => {
  const [near, far] = await openPair("127.0.0.1", "127.0.0.1");
  const question = describeEnds(near);
  far.resetAndDestroy();
  await waitUntil(() => (netlink(question)?.state ?? LISTEN) === LISTEN, "the far end is gone");
  expect(askProcNet(question)).toBeNull();
  for (const ask of [netlink, askProcNet]) expect(ask({ own: UNUSED, other: UNUSED })).toBeNull();
  expect(netlink({ own: { ...UNUSED, address: "gpu-box" }, other: UNUSED })).toBeNull();
});
