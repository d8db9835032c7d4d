import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import type { NotifyChannel } from "../../core/notices/channel-settings.ts";
import type { Courier, DeliveryError, Parcel, Receipt } from "../../core/notices/courier.ts";
import { describeNotice, nameNode, quoteLog, titleNotice } from "../../core/notices/notice-text.ts";
import { nameNotice, readNoticeFacts } from "./notice-facts.ts";

type Account = Pick<NotifyChannel, "url" | "from" | "to">;

const SOCKET_TIMEOUT_MS = 10_000;
const FIRST_PERMANENT = 500;
const MAX_HINT = 200;

const readProperty = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;

const explain = (error: unknown): DeliveryError => {
  const answered = readProperty(error, "responseCode");
  const isConnected = readProperty(error, "code") !== "ECONNECTION";
  const text = describeError(error).replaceAll(/[\p{Cc}\s]+/gu, " ");
  return {
    message: `the mail server refused or failed: ${text.slice(0, MAX_HINT)}`,
    isFinal: typeof answered === "number" && answered >= FIRST_PERMANENT,
    isUncertain: answered === undefined && isConnected,
    retryAfterS: null,
  };
};

const createMail = async (parcel: Parcel, { from, to }: Account) => {
  const facts = await readNoticeFacts(parcel);
  const log = quoteLog(facts);
  return {
    from: from ?? "",
    to: [...to],
    subject: titleNotice(facts),
    text: `${describeNotice(facts)}\n${log === "" ? "" : `\nThe end of its log:\n\n${log}\n`}`,
    messageId: `<${nameNotice(parcel)}@${nameNode(facts).replaceAll(/[^A-Za-z0-9.-]/g, "-")}>`,
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
};

const openTransport = async (url: string) => {
  const { createTransport } = await import("nodemailer");
  const timeouts = { connectionTimeout: SOCKET_TIMEOUT_MS, greetingTimeout: SOCKET_TIMEOUT_MS };
  return createTransport({ url, ...timeouts, socketTimeout: SOCKET_TIMEOUT_MS });
};

const rejectOnAbort = (signal: AbortSignal): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  return promise;
};

const send = async (account: Account, parcel: Parcel): Promise<Receipt> => {
  const transport = await openTransport(account.url);
  try {
    const { messageId } = await transport.sendMail(await createMail(parcel, account));
    return { reference: messageId };
  } finally {
    transport.close();
  }
};

/**
 * E-mail by SMTP, with STARTTLS where the server has it. The same event has the same `Message-ID` (RFC 5322, section
 * 3.6.4), by which many mailboxes keep only one of two.
 */
export const createEmail = (account: Account): Courier => ({
  deliver: async (parcel, signal): Promise<Result<Receipt, DeliveryError>> => {
    try {
      return ok(await Promise.race([send(account, parcel), rejectOnAbort(signal)]));
    } catch (error) {
      return err(explain(error));
    }
  },
});
