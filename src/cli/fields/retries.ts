import { MAX_RETRIES, RETRY_CAUSES, type RetryCause, USUAL_CAUSES } from "../../wire/job-fields/retries.ts";
import type { JobField } from "./job-field.ts";

type Asked = Readonly<{ count: number; causes: RetryCause[] }>;

const RETRY = /^(\d{1,3})(?::(.+))?$/;

const isCause = (word: string): word is RetryCause => RETRY_CAUSES.some((cause) => cause === word);

const readRetry = (text: string): Asked | null => {
  const [, count, named] = RETRY.exec(text) ?? [];
  const words = named?.split(",") ?? USUAL_CAUSES;
  const causes = words.filter(isCause);
  const isRight = count !== undefined && Number(count) <= MAX_RETRIES && causes.length === words.length;
  return isRight ? { count: Number(count), causes } : null;
};

export const RETRIES: readonly JobField[] = [
  {
    flag: { long: "retry", value: "N[:CAUSE,…]", help: "try it again, N times at most, when it has failed" },
    field: "retry",
    isUsual: true,
    waits: false,
    what: `a number up to ${MAX_RETRIES}, and after a colon causes of: ${RETRY_CAUSES.join(", ")}`,
    isRight: (text) => readRetry(text) !== null,
    toFields: ([text = ""]) => ({ retry: readRetry(text) }),
  },
];
