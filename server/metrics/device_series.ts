/**
 * Series of each device, by its name.
 *
 * @module
 */

import type { Sample } from "../../app/metrics/family.ts";
import type { Registry } from "../../app/metrics/registry.ts";
import type { Survey, SurveyedDevice } from "./survey.ts";

/** Adds them. There are none beyond the most devices that may have them, and if nobody wants them. */
export function addDeviceMetrics(registry: Registry, survey: Survey): void {
  registry.value("gauge", {
    name: "sallyport_device_series",
    help: "1 if each device has its own series, 0 if there are too many devices, or nobody wants them.",
  }, () => survey.showsDevices ? 1 : 0);
  const of = (name: string, help: string, read: (device: SurveyedDevice) => number | undefined) =>
    registry.sampled("gauge", { name, help, labels: { device: "open" } }, function* (): Iterable<Sample> {
      for (const device of survey.devices) {
        const value = read(device);
        if (value !== undefined) yield [[device.name], value];
      }
    });
  of("sallyport_device_online", "1 if the device has a link, 0 if not.", ({ online }) => online ? 1 : 0);
  of("sallyport_device_channels", "Channels of the device that are open.", ({ channels }) => channels);
  of("sallyport_device_pending_bytes", "Bytes that wait to be written to its link.", ({ pending }) => pending);
  of("sallyport_device_round_trip_seconds", "Its last round trip.", ({ roundTrip }) => roundTrip);
  registry.sampled("counter", {
    name: "sallyport_device_carried_bytes_total",
    help: "Bytes of its clients: up, to services, or down, to clients.",
    labels: { device: "open", direction: ["up", "down"] },
  }, function* () {
    for (const { name, carried } of survey.devices) {
      yield [[name, "up"], carried.up];
      yield [[name, "down"], carried.down];
    }
  });
}
