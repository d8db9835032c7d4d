import { isEnded, type Job } from "../../core/jobs/job.ts";
import { clipEnd } from "../../core/notices/plain-text.ts";

const MAX_COMMAND = 200;
const MAX_ERROR = 500;
const MAX_SAID = 1800;
const NOT_SAID = /[\p{Cc}\ufffe\uffff]+/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

const escapeCharacter = (character: string): string => ENTITIES[character] ?? character;

const escapeXml = (text: string): string => {
  let escaped = "";
  for (const character of text.toWellFormed().replaceAll(NOT_SAID, " ")) {
    const next = escaped + escapeCharacter(character);
    if (next.length > MAX_SAID) break;
    escaped = next;
  }
  return escaped;
};

const spell = (id: string): string => [...id].join(" ");

const describeEnd = (job: Job): string => (isEnded(job) ? job.status : "running");

/**
 * What is said on the phone, in TwiML: https://www.twilio.com/docs/voice/twiml/say. Twilio takes up to 4000 characters
 * of it (https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource).
 */
export const createTwiml = (job: Job): string => {
  const error = isEnded(job) && job.errorMessage !== null ? ` ${clipEnd(job.errorMessage, MAX_ERROR)}.` : "";
  const text = `Nexus on ${job.nodeName}: job ${spell(job.id)} is ${describeEnd(job)}.${error} Its command is: ${clipEnd(job.command, MAX_COMMAND)}`;
  const say = `<Say>${escapeXml(text)}</Say>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${say}<Pause length="1"/>${say}</Response>`;
};
