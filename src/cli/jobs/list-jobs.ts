import { ok } from "../../base/result.ts";
import type { ExplainedJob, WireStatus } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";

/** Without `most` all of them, however many. `user` and `regex` select when they are not null, `filters` by the API's names. */
export type JobsAsked = Readonly<{
  statuses: readonly WireStatus[];
  user?: string | null;
  regex?: string | null;
  filters?: Readonly<Record<string, string>>;
  explain?: boolean;
  most?: number;
}>;

type Page = Readonly<{ limit: number; offset: number }>;
type Jobs = readonly ExplainedJob[];

const LARGEST_PAGE = 10_000;
const OVERLAP = 100;
const STEP_BACK = LARGEST_PAGE / 2;

const describePage = (asked: JobsAsked, page: Page): string => {
  const { statuses, user = null, regex = null, filters = {}, explain = false } = asked;
  const query = new URLSearchParams(filters);
  for (const status of statuses) query.append("status", status);
  if (user !== null) query.set("user", user);
  if (regex !== null) query.set("command_regex", regex);
  if (explain) query.set("explain", "true");
  query.set("limit", String(page.limit));
  if (page.offset > 0) query.set("offset", String(page.offset));
  return query.toString();
};

type Listing = Readonly<{ known: ReadonlyMap<string, ExplainedJob>; next: number | null }>;

const addPage = ({ known }: Listing, page: Jobs, { limit, offset }: Page): Listing => {
  const meets = offset === 0 || page.some(({ id }) => known.has(id));
  if (!meets) return { known, next: Math.max(0, offset - STEP_BACK) };
  const next = page.length < limit ? null : offset + limit - OVERLAP;
  return { known: new Map([...known, ...page.map((job) => [job.id, job] as const)]), next };
};

/**
 * In the server's order. Of a list that changes meanwhile none is left out that is in it all the time, and none comes
 * twice: pages overlap, and one that doesn't meet what came before is asked for again further up.
 */
export const listJobs = async (api: Api, asked: JobsAsked): ApiResult<Jobs> => {
  const most = asked.most ?? Number.POSITIVE_INFINITY;
  const limit = Math.min(most, LARGEST_PAGE);
  let listing: Listing = { known: new Map(), next: 0 };
  while (listing.next !== null && listing.known.size < most) {
    const range = { limit, offset: listing.next };
    const page = await api.get<Jobs>(`/v1/jobs?${describePage(asked, range)}`);
    if (!page.ok) return page;
    listing = addPage(listing, page.value, range);
  }
  return ok([...listing.known.values()].slice(0, most));
};
