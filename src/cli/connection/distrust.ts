import { UNREACHABLE } from "../../command-line/usage.ts";
import { runCommand } from "../../tools/run-command.ts";
import type { SocketDoubt } from "../../tools/sockets/pinned-socket.ts";
import type { Target } from "../targets/target.ts";
import { type ApiFailure, UNTRUSTED } from "./api-failure.ts";
import type { Listener } from "./dial.ts";

const LIMITS = { timeoutMs: 1000, maxOutputBytes: 4096 };

const nameUser = async (uid: number): Promise<string> => {
  const asked = await runCommand(["getent", "passwd", String(uid)], LIMITS);
  const name = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.split(":")[0] : "";
  return name ? `the user ${name}` : `the user with the number ${uid}`;
};

const refuse = ({ name, address, ssh }: Target, what: string): ApiFailure => {
  const advice =
    ssh === null ? `; if that is meant to be so: listener = "any" under [targets.${name}] in ~/.nexus/config.toml` : "";
  return {
    exitCode: UNREACHABLE,
    code: UNTRUSTED,
    message: `nothing was sent to the server "${name}" at ${address}: ${what}${advice}`,
  };
};

const explainListener = async (listener: Listener): Promise<string> => {
  switch (listener.kind) {
    case "user":
      return `it is run by ${await nameUser(listener.uid)}, who is neither you nor root`;
    case "slow":
      return "who listens there has not taken the connection within 2 s, so it is not known who that is";
    case "unknown":
      return "the system does not tell who listens there (it is in a container or another network namespace)";
  }
};

export const describeListener = async (target: Target, listener: Listener): Promise<ApiFailure> =>
  refuse(target, await explainListener(listener));

type Known = Exclude<SocketDoubt, { kind: "absent" }>;

export const describeDoubt = async (target: Target, doubt: Known): Promise<ApiFailure> =>
  refuse(
    target,
    doubt.kind === "foreign"
      ? `${doubt.path} belongs to ${await nameUser(doubt.uid)}, who is neither you nor root`
      : `others may put a socket of theirs into ${doubt.path} (chmod go-w ${doubt.path} forbids it)`,
  );
