import { err, ok, type Result } from "../../../base/result.ts";
import type { Courier, DeliveryError, Parcel, Receipt } from "../../core/notices/courier.ts";
import { listSecrets, maskJob } from "../../core/notices/mask-secrets.ts";
import { createDiscordMessage } from "./discord-message.ts";
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

const createRequest = async (parcel: Parcel): Promise<ServiceRequest> => {
  const { secrets, job, message, logUrl, editedReference } = parcel;
  const known = listSecrets(secrets);
  const body = createDiscordMessage({
    job: maskJob(job, known),
    event: message.event,
    userId: secrets["DISCORD_USER_ID"]?.trim() ?? "",
    logLines: await readLogLines(parcel, known),
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

const isEdit = ({ message }: Parcel): boolean => message.event === "run_found" || message.event === "log_uploaded";

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
export const createDiscord = (): Courier => ({
  deliver: async (parcel, signal): Promise<Result<Receipt, DeliveryError>> => {
    if (isEdit(parcel) && parcel.editedReference === null) return ok(NOTHING_TO_EDIT);
    const answer = await sendRequest(await createRequest(parcel), signal);
    return answer.ok ? ok({ reference: readMessageId(answer.value) }) : err(answer.error);
  },
});
