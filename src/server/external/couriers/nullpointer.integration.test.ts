import { expect, onTestFinished, test } from "bun:test";
import { startNullpointer } from "../../../../tests/support/stand-ins/nullpointer.ts";
import { createTestParcel } from "../../core/notices/test-notice.ts";
import { createNullpointer } from "./nullpointer.ts";

const MAX_BYTES = 10 * 1024 * 1024;

const upload = async (log: string | Uint8Array, secrets: Readonly<Record<string, string>> = {}) => {
  const service = startNullpointer();
  onTestFinished(() => service.stop());
  const { subject, ...parcel } = createTestParcel("nullpointer", { nodeName: "atlas", now: 1000, secrets });
  const readLog = async (): Promise<Uint8Array> => Buffer.from(log);
  const sent = await createNullpointer(service.url).deliver(
    { ...parcel, subject: { ...subject, readLog } },
    AbortSignal.timeout(5000),
  );
  const [[path, file] = ["", new Uint8Array()]] = service.files;
  return { service, sent, path, file: Buffer.from(file) };
};

test("a log is uploaded as it is, bytes that are no text included, and its address is told", async () => {
  const log = Buffer.from([0x61, 0xff, 0x00, 0x0a]);
  const { service, sent, path, file } = await upload(log);
  expect(sent).toEqual({ ok: true, value: { reference: `${service.url}${path}` } });
  expect(file).toEqual(log);
});

test("secrets are masked, whatever their letters", async () => {
  const { file } = await upload("key sésame-🚀 of https://ann:letmein@example.org\n", { API_KEY: "sésame-🚀" });
  expect(file.toString()).toBe("key ******** of https://ann:********@example.org\n");
});

test("a log that masking makes longer than 10 MiB loses its beginning", async () => {
  const { file } = await upload(`${"abcd\n".repeat(MAX_BYTES / 5)}the end`, { API_KEY: "abcd" });
  expect(file).toHaveLength(MAX_BYTES);
  expect(file.subarray(-16).toString()).toBe("********\nthe end");
});
