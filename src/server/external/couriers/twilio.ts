import { err, ok } from "../../../base/result.ts";
import { listSecrets } from "../../../base/secret-names.ts";
import type { Courier, JobParcel } from "../../core/notices/courier.ts";
import { maskJob } from "../../core/notices/mask-job.ts";
import { createJobCourier } from "./job-courier.ts";
import { type ServiceRequest, sendRequest } from "./send-request.ts";
import { createTwiml } from "./twiml.ts";

const createRequest = (baseUrl: string, { subject, secrets }: JobParcel): ServiceRequest => {
  const read = (name: string): string => secrets[name]?.trim() ?? "";
  const account = read("TWILIO_ACCOUNT_SID");
  const credentials = Buffer.from(`${account}:${read("TWILIO_AUTH_TOKEN")}`).toString("base64");
  const masked = maskJob(subject.job, listSecrets(secrets));
  return {
    name: "Twilio",
    url: `${baseUrl}/2010-04-01/Accounts/${encodeURIComponent(account)}/Calls.json`,
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({
      To: read("PHONE_TO_NUMBER"),
      From: read("TWILIO_FROM_NUMBER"),
      Twiml: createTwiml(masked),
    }),
  };
};

const readSid = (answer: string): string | null => /"sid"\s*:\s*"(CA[0-9a-f]{32})"/.exec(answer)?.[1] ?? null;

/** Calls through the account that the job's environment names (https://www.twilio.com/docs/voice/api/call-resource). */
export const createTwilio = (baseUrl: string): Courier =>
  createJobCourier(async (parcel, signal) => {
    const answer = await sendRequest(createRequest(baseUrl, parcel), signal);
    return answer.ok ? ok({ reference: readSid(answer.value) }) : err(answer.error);
  });
