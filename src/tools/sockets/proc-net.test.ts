import { expect, test } from "bun:test";
import { findEnd } from "./proc-net.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:D431 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:B3F0 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1002        0 4712 1 0000000000000000 20 4 0 10 -1
   2: 0100007F:D431 0100007F:B3F0 01 00000000:00000000 00:00000000 00000000  1001        0 4713 1 0000000000000000 20 4 0 10 -1
   3: 0100007F:B3F1 0100007F:D431 06 00000000:00000000 03:00000176 00000000     0        0 0 3 0000000000000000
`;

const TCP6 = `  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 00000000000000000000000001000000:B3F0 00000000000000000000000001000000:D431 01 0:0 00:0 0  1003        0 4714 1
   1: 0000000000000000FFFF00000100007F:B3F2 0000000000000000FFFF00000100007F:D431 01 0:0 00:0 0  1004        0 4715 1
`;

const at = (port: number, address = "127.0.0.1") => ({ address, port });
const SERVER = 0xd431;

test.each([
  ["a client", TCP, { own: at(0xb3f0), other: at(SERVER) }, { state: 1, uid: 1002, inode: 4712 }],
  ["the server", TCP, { own: at(SERVER), other: at(0xb3f0) }, { state: 1, uid: 1001, inode: 4713 }],
  ["who is gone", TCP, { own: at(0xb3f1), other: at(SERVER) }, { state: 6, uid: 0, inode: 0 }],
  ["who is not there", TCP, { own: at(0xb3f3), other: at(SERVER) }, null],
  [
    "a client by IPv6",
    TCP6,
    { own: at(0xb3f0, "::1"), other: at(SERVER, "::1") },
    { state: 1, uid: 1003, inode: 4714 },
  ],
  [
    "a client by IPv4 with an IPv6 socket",
    TCP6,
    { own: at(0xb3f2), other: at(SERVER) },
    { state: 1, uid: 1004, inode: 4715 },
  ],
  ["another address", TCP6, { own: at(0xb3f0, "fd00::1"), other: at(SERVER, "fd00::2") }, null],
  ["nobody", "", { own: at(0xb3f0), other: at(SERVER) }, null],
])("the table of the kernel's connections shows %s", (_who, table, question, end) => {
  expect(findEnd(table, question)).toEqual(end);
});
