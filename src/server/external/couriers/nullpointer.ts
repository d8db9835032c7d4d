import { err, ok, type Result } from "../../../base/result.ts";
import { listSecrets, maskSecrets } from "../../../base/secret-names.ts";
import type { Courier, DeliveryError, JobParcel, Receipt } from "../../core/notices/courier.ts";
import { createJobCourier } from "./job-courier.ts";
import { sendRequest } from "./send-request.ts";

const MAX_BYTES = 10 * 1024 * 1024;
const LIFETIME_H = "24";
const MAX_ADDRESS = 500;

const toBytewise = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const readMaskedLog = async ({ subject, secrets }: JobParcel): Promise<Uint8Array<ArrayBuffer>> => {
  const bytes = Buffer.from(await subject.readLog(null)).toString("latin1");
  const masked = maskSecrets(bytes, listSecrets(secrets).map(toBytewise));
  return new Uint8Array(Buffer.from(masked, "latin1").subarray(-MAX_BYTES));
};

const createForm = (log: Uint8Array<ArrayBuffer>, id: string): FormData => {
  const form = new FormData();
  form.set("file", new Blob([log], { type: "text/plain" }), `nexus-job-${id}.txt`);
  form.set("secret", "");
  form.set("expires", LIFETIME_H);
  return form;
};

const readAddress = (answer: string): Result<Receipt, DeliveryError> => {
  const address = answer.trim();
  if (/^https?:\/\/[^\s<>"'`]+$/.test(address) && address.length <= MAX_ADDRESS) return ok({ reference: address });
  const message = "the file service did not answer with an address";
  return err({ message, isFinal: false, isUncertain: true, retryAfterS: null });
};

/**
 * Uploads the job's log, at most its last 10 MiB, for 24 hours to an address that is hard to guess
 * (https://git.0x0.st/mia/0x0/src/branch/master/templates/index.html).
 */
export const createNullpointer = (baseUrl: string): Courier =>
  createJobCourier(async (parcel, signal) => {
    const body = createForm(await readMaskedLog(parcel), parcel.subject.job.id);
    const answer = await sendRequest({ name: "the file service", url: baseUrl, body }, signal);
    return answer.ok ? readAddress(answer.value) : answer;
  });
