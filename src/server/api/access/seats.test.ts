import { expect, test } from "bun:test";
import { createSeats, type SeatKind } from "./seats.ts";

const LIMITS = { maxRequests: 1, maxFollowers: 3, maxFollowersPerAddress: 2, maxUploads: 1, bodyTimeout: 1 };

const takeFrom = (seats: ReturnType<typeof createSeats>) => (kind: SeatKind, address: string) => {
  const seat = seats.take(kind, address);
  return seat.ok ? seat.value : seat.error.code;
};

test("followers are limited for each address and in all, and a seat given back is free", () => {
  const seats = createSeats(LIMITS);
  const take = takeFrom(seats);
  const [first, second] = [take("follower", "a"), take("follower", "a")];
  expect(take("follower", "a")).toBe("TOO_MANY_REQUESTS");
  expect(take("follower", "b")).toBeFunction();
  expect(take("follower", "c")).toBe("UNAVAILABLE");
  if (typeof first === "function") for (const _twice of [1, 2]) first();
  expect(seats.countFollowers()).toBe(2);
  expect(take("follower", "c")).toBeFunction();
  if (typeof second === "function") second();
  expect(take("follower", "a")).toBeFunction();
});

test("uploads are limited apart from followers", () => {
  const take = takeFrom(createSeats(LIMITS));
  const upload = take("upload", "a");
  expect(upload).toBeFunction();
  expect(take("follower", "a")).toBeFunction();
  expect(take("upload", "b")).toBe("UNAVAILABLE");
  if (typeof upload === "function") upload();
  expect(take("upload", "b")).toBeFunction();
});

test("one who uploads has a half of the seats at most, so that others find one", () => {
  const take = takeFrom(createSeats({ ...LIMITS, maxUploads: 3 }));
  const [first, second] = [take("upload", "a"), take("upload", "a")];
  expect([first, second]).toEqual([expect.any(Function), expect.any(Function)]);
  expect(take("upload", "a")).toBe("TOO_MANY_REQUESTS");
  expect(take("upload", "b")).toBeFunction();
  expect(take("upload", "c")).toBe("UNAVAILABLE");
  if (typeof first === "function") for (const _twice of [1, 2]) first();
  expect(take("upload", "a")).toBeFunction();
  expect(take("upload", "a")).toBe("UNAVAILABLE");
});

test("one who looks at a terminal takes a follower's place, but is no request that waits", () => {
  const seats = createSeats(LIMITS);
  const viewer = seats.take("viewer", "a");
  expect(seats.take("follower", "a").ok).toBe(true);
  expect(seats.take("viewer", "a").ok).toBe(false);
  expect(seats.countFollowers()).toBe(1);
  if (viewer.ok) viewer.value();
  expect(seats.take("viewer", "a").ok).toBe(true);
});
