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

const refuseOne = (what: string, limit: number): Result<never, Refusal> =>
  err(createRefusal("TOO_MANY_REQUESTS", `${limit} ${what} are yours, which is all that one may have`));

type Places = Readonly<{ what: string; inAll: number; forOne: number }>;

const createPlaces = ({ what, inAll, forOne }: Places) => {
  const ofEach = new Map<string, number>();
  let total = 0;
  const change = (whom: string, by: 1 | -1): void => {
    const count = (ofEach.get(whom) ?? 0) + by;
    total += by;
    if (count === 0) ofEach.delete(whom);
    else ofEach.set(whom, count);
  };
  return (whom: string): Result<() => void, Refusal> => {
    if (total >= inAll) return refuse(what, inAll);
    if ((ofEach.get(whom) ?? 0) >= forOne) return refuseOne(what, forOne);
    change(whom, 1);
    return ok(createRelease(() => change(whom, -1)));
  };
};

const createFollowerSeats = (limits: Limits) => {
  const takePlace = createPlaces({
    what: "followers",
    inAll: limits.maxFollowers,
    forOne: limits.maxFollowersPerAddress,
  });
  let streams = 0;
  const take = (whom: string, isStream: boolean): Result<() => void, Refusal> => {
    const place = takePlace(whom);
    if (!place.ok || !isStream) return place;
    streams += 1;
    return ok(
      createRelease(() => {
        streams -= 1;
        place.value();
      }),
    );
  };
  return { take, countStreams: () => streams };
};

export const createSeats = (limits: Limits): Seats => {
  const followers = createFollowerSeats(limits);
  const { maxUploads } = limits;
  const takeUpload = createPlaces({ what: "uploads", inAll: maxUploads, forOne: Math.ceil(maxUploads / 2) });
  return {
    take: (kind, whom) => (kind === "upload" ? takeUpload(whom) : followers.take(whom, kind === "follower")),
    countFollowers: followers.countStreams,
  };
};
