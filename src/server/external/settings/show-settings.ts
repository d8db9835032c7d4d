import { MASK, maskFields, maskUrls } from "../../../base/secret-names.ts";
import type { NotifyChannel } from "../../core/notices/channel-settings.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { isSecretSetting, nameSetting } from "./setting-list.ts";

const PATH_OF_URL = /^(\w+:\/\/[^/?#]*)[/?#].+$/;

const maskChannel = (channel: NotifyChannel): Readonly<Record<string, unknown>> =>
  maskFields({ ...channel, url: maskUrls(channel.url).replace(PATH_OF_URL, `$1/${MASK}`) });

const showValue = (key: string, value: unknown): unknown => {
  if (isSecretSetting(key)) return MASK;
  return typeof value === "string" ? maskUrls(value) : value;
};

/** A line for each setting that has a value, without secrets. */
export const showSettings = ({ notify, ...settings }: Settings): string =>
  Object.entries({ ...settings, notify: notify.map(maskChannel) })
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${nameSetting(key)} = ${JSON.stringify(showValue(key, value))}\n`)
    .join("");
