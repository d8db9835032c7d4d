import { err, ok, type Result } from "../../../base/result.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";

/** How much of the server its clients may take at one time; `bodyTimeout` in seconds. */
export type Limits = Readonly<{
  maxRequests: number;
  maxFollowers: number;
  maxFollowersPerAddress: number;
  maxUploads: number;
  bodyTimeout: number;
}>;

/** A viewer looks at a terminal; it counts as a follower does, but its request has been answered. */
export type SeatKind = "follower" | "viewer" | "upload";

/** `whom` it is counted for. A seat taken is given back by the function in the answer; giving it back again does nothing. */
export type Seats = Readonly<{
  take: (kind: SeatKind, whom: string) => Result<() => void, Refusal>;
  countFollowers: () => number;
}>;

const createRelease = (release: () => void): (() => void) => {
  let isReleased = false;
  return () => {
    if (!isReleased) release();
    isReleased = true;
  };
};

const refuse = (what: string, limit: number): Result<never, Refusal> =>
  err(createRefusal("UNAVAILABLE", `The server has ${limit} ${what}, which is all that it takes; try again later`));

const refuseOne = (limit: number): Result<never, Refusal> =>
  err(createRefusal("TOO_MANY_REQUESTS", `${limit} followers are yours, which is all that one may have`));

const createFollowerSeats = (limits: Limits) => {
  const ofEach = new Map<string, number>();
  let total = 0;
  let streams = 0;
  const change = (whom: string, isStream: boolean, by: 1 | -1): void => {
    const count = (ofEach.get(whom) ?? 0) + by;
    total += by;
    if (isStream) streams += by;
    if (count === 0) ofEach.delete(whom);
    else ofEach.set(whom, count);
  };
  const take = (whom: string, isStream: boolean): Result<() => void, Refusal> => {
    if (total >= limits.maxFollowers) return refuse("followers", limits.maxFollowers);
    if ((ofEach.get(whom) ?? 0) >= limits.maxFollowersPerAddress) {
      return refuseOne(limits.maxFollowersPerAddress);
    }
    change(whom, isStream, 1);
    return ok(createRelease(() => change(whom, isStream, -1)));
  };
  return { take, countStreams: () => streams };
};

const createUploadSeats = ({ maxUploads }: Limits) => {
  let total = 0;
  return (): Result<() => void, Refusal> => {
    if (total >= maxUploads) return refuse("uploads", maxUploads);
    total += 1;
    return ok(createRelease(() => (total -= 1)));
  };
};

export const createSeats = (limits: Limits): Seats => {
  const followers = createFollowerSeats(limits);
  const takeUpload = createUploadSeats(limits);
  return {
    take: (kind, whom) => (kind === "upload" ? takeUpload() : followers.take(whom, kind === "follower")),
    countFollowers: followers.countStreams,
  };
};
