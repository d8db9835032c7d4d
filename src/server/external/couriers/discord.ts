import { err, ok } from "../../../base/result.ts";
import { listSecrets } from "../../../base/secret-names.ts";
import type { Courier, JobParcel, Receipt } from "../../core/notices/courier.ts";
import { maskJob } from "../../core/notices/mask-job.ts";
import { createDiscordMessage } from "./discord-message.ts";
import { createJobCourier } from "./job-courier.ts";
import { readLogLines } from "./notice-facts.ts";
import { type ServiceRequest, sendRequest } from "./send-request.ts";

const NOTHING_TO_EDIT: Receipt = { reference: null };

const addressMessage = (webhook: string, editedId: string | null): string => {
  const url = URL.parse(webhook);
  if (url === null) return webhook;
  if (editedId === null) url.searchParams.set("wait", "true");
  else url.pathname = `${url.pathname.replace(/\/+$/, "")}/messages/${encodeURIComponent(editedId)}`;
  return url.href;
};

const createRequest = async ({ secrets, subject }: JobParcel): Promise<ServiceRequest> => {
  const { job, event, attempt, logUrl, editedReference } = subject;
  const known = listSecrets(secrets);
  const body = createDiscordMessage({
    job: maskJob(job, known),
    event,
    attempt,
    userId: secrets["DISCORD_USER_ID"]?.trim() ?? "",
    logLines: await readLogLines(subject, known),
    logUrl,
  });
  return {
    name: "Discord",
    url: addressMessage(secrets["DISCORD_WEBHOOK_URL"]?.trim() ?? "", editedReference),
    method: editedReference === null ? "POST" : "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
};

const isEdit = ({ event }: JobParcel["subject"]): boolean => event === "run_found" || event === "log_uploaded";

const readMessageId = (answer: string): string | null => {
  try {
    const body: unknown = JSON.parse(answer);
    const id = typeof body === "object" && body !== null && "id" in body ? body.id : null;
    return typeof id === "string" ? id : null;
  } catch {
    return null;
  }
};

/**
 * Messages through the job's own webhook (https://docs.discord.com/developers/resources/webhook#execute-webhook), with
 * `wait` so that its id is known. An edit of a message that never arrived is left out.
 */
export const createDiscord = (): Courier =>
  createJobCourier(async (parcel, signal) => {
    if (isEdit(parcel.subject) && parcel.subject.editedReference === null) return ok(NOTHING_TO_EDIT);
    const answer = await sendRequest(await createRequest(parcel), signal);
    return answer.ok ? ok({ reference: readMessageId(answer.value) }) : err(answer.error);
  });
