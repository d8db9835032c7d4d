import { expect, test } from "bun:test";
import { readUsers } from "./user-tables.ts";

test("a user of the machine has the role that their table says, by default user", () => {
  expect(readUsers({ ann: { role: "admin" }, "b.ob": {} })).toEqual({
    ok: true,
    value: [
      { name: "ann", role: "admin" },
      { name: "b.ob", role: "user" },
    ],
  });
});

test("a user has the limits that their table names, and no others", () => {
  expect(readUsers({ ann: { max_gpus: 2, max_time: "2h" } })).toEqual({
    ok: true,
    value: [{ name: "ann", role: "user", maxGpus: 2, maxTime: "2h" }],
  });
});

test.each([
  ["x", "users must be tables, as in [users.ann]"],
  [{ ann: "admin" }, "users.ann: it must be a table"],
  [{ ann: { role: "boss" } }, "users.ann: role must be one of viewer, agent, user, admin"],
  [
    { ann: { roles: "admin" } },
    "users.ann: roles is not one of role, max_gpus, max_running, max_queued, max_priority, max_time",
  ],
  [{ ann: { max_gpus: "many" } }, "users.ann: max_gpus must be a whole number from 0 to 10000"],
  [{ ann: { max_time: 120 } }, "users.ann: max_time must be a time such as 45m, 2h, 1d or 1h30m"],
  [{ "": {} }, 'users."" is not the name of a user'],
])("%p is refused by name, with what is allowed", (raw, message) => {
  expect(readUsers(raw)).toEqual({ ok: false, error: { message } });
});
