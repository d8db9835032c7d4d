import { z } from "zod";
import { userSchema } from "../job.ts";

const MAX_WHY = 1000;
const MAX_GPUS = 1024;
const MAX_SECONDS = 253_402_300_799;

const seconds = z.number().min(0).max(MAX_SECONDS);

export const reservationRequestSchema = z
  .object({
    gpu_idxs: z.array(z.int().min(0)).min(1).max(MAX_GPUS),
    from: seconds.nullish().meta({ description: "Unix time in seconds; absent, or past, for now" }),
    until: seconds.meta({ description: "Unix time in seconds" }),
    why: z.string().max(MAX_WHY).nullish(),
    user: userSchema.nullish().meta({ description: "Whose jobs start there; absent for who asks" }),
  })
  .meta({ id: "ReservationRequest" });

/** As it stands beside the GPU that it is of. */
export const gpuReservationSchema = z
  .object({
    id: z.string(),
    gpu_idxs: z.array(z.int()),
    from: z.number().meta({ description: "Unix time in seconds" }),
    until: z.number().meta({ description: "Unix time in seconds" }),
    why: z.string().nullable(),
    user: z.string().meta({ description: "Only jobs of this user start there" }),
  })
  .meta({ id: "GpuReservation" });

export const reservationSchema = gpuReservationSchema
  .extend({
    jobs: z
      .array(z.object({ id: z.string(), user: z.string(), gpu_idxs: z.array(z.int()) }))
      .meta({ description: "What runs on these GPUs, and goes on" }),
  })
  .meta({ id: "Reservation" });

export type ReservationRequest = Readonly<z.output<typeof reservationRequestSchema>>;
export type WireGpuReservation = Readonly<z.output<typeof gpuReservationSchema>>;
export type WireReservation = Readonly<z.output<typeof reservationSchema>>;
