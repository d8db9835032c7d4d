import type { AppRequest } from "../context.ts";

const nameUser = (user: string): string => `user ${user}`;

/** For whom places are counted: who asks, by token or as a user of this machine, or else the address. */
export const countAsker = (request: AppRequest): string => {
  const name = request.get("identity")?.name ?? null;
  return name === null ? request.env.peer.address : nameUser(name);
};

/** For whom wrong tokens are counted: whom the kernel names, or else the address. */
export const countGuesser = ({ env: { peer } }: AppRequest): string => {
  const local = peer.localUser ?? peer.holder ?? null;
  return local === null ? peer.address : nameUser(local.user);
};
