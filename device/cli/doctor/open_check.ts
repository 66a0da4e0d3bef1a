/**
 * What `device doctor` says of a service that the server does not open: why, and what would do on which side.
 *
 * @module
 */

import type { Check } from "../../../app/doctor/doctor.ts";
import type { DeviceFacts, Service } from "../../admin/schemas.ts";
import { lackIn, notOpenAdvice } from "../../not_open.ts";

/** What the server has said of a service among all that are `offered`, and what stands `behind` it. */
export function openCheck(
  service: Service,
  { name: device }: Pick<DeviceFacts, "name">,
  behind: Check,
  offered: readonly string[],
): Check {
  const { error } = service;
  if (error === null || lackIn(error) !== undefined) return behind;
  return {
    name: behind.name,
    async look(signal) {
      const { level, text } = await behind.look(signal);
      const advice = notOpenAdvice(service, device ?? "DEVICE", offered);
      return { level: "warn", text: level === "ok" ? error : `${error}; ${text}`, ...(advice && { advice }) };
    },
  };
}
