import { err } from "../../../base/result.ts";
import type { Courier, JobParcel } from "../../core/notices/courier.ts";

type Deliver = (parcel: JobParcel, signal: AbortSignal) => ReturnType<Courier["deliver"]>;

/** A courier for a channel that jobs ask for: of a batch or of the machine it has nothing to say. */
export const createJobCourier = (deliver: Deliver): Courier => ({
  deliver: async ({ subject, ...parcel }, signal) => {
    switch (subject.kind) {
      case "job":
        return deliver({ ...parcel, subject }, signal);
      case "batch":
      case "machine":
        return err({
          message: `${parcel.channel} hears of jobs only`,
          isFinal: true,
          isUncertain: false,
          retryAfterS: null,
        });
    }
  },
});
