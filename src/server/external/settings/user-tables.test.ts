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

test.each([
  ["x", "users must be tables, as in [users.ann]"],
  [{ ann: "admin" }, "users.ann: it must be a table"],
  [{ ann: { role: "boss" } }, "users.ann: role must be one of viewer, agent, user, admin"],
  [{ ann: { roles: "admin" } }, "users.ann: roles is not one of role"],
  [{ "": {} }, 'users."" is not the name of a user'],
])("%p is refused by name, with what is allowed", (raw, message) => {
  expect(readUsers(raw)).toEqual({ ok: false, error: { message } });
});
