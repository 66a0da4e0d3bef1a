/**
 * `/v1/enrolments`: strings that let a device in, once.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type } from "../../app/admin/schema.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { MAX_ENROLMENT_ADDRESSES } from "../../protocol/limits.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import { formatAddress } from "../../protocol/address.ts";
import { parseComment } from "../devices/authorized_devices.ts";
import { checkGrants, formatGrantedAddress, parseGrant } from "../devices/service_grant.ts";
import { portToDial } from "../listen_address.ts";
import { makeEnrolment, parseExpiry, parsePublicAddress, publicAddresses } from "../state/enroll.ts";
import { certificateWarning, serviceWarnings } from "../state/enroll_warnings.ts";
import { readFacts } from "../state/facts.ts";
import type { AdminContext } from "./context.ts";
import { demandState } from "./device_routes.ts";
import { Name, Time, timeOrNull } from "../../app/admin/shared.ts";
import { Enrolment } from "./schemas.ts";

const ENROLMENT = closed({
  device: Name,
  services: Type.Optional(Type.Array(Type.String({ maxLength: 400 }), {
    maxItems: V2_MAX_SERVICES,
    description: "Each as NAME=HOST:PORT; with `replace`, what is left out stays.",
  })),
  expires: Type.Optional(Type.String({ maxLength: 60, description: "A date, a time, or a span from now as in 90d." })),
  comment: Type.Optional(Type.String({ maxLength: 200, description: "For people." })),
  valid: Type.Optional(Type.Number({
    minimum: 1,
    maximum: MAX_DURATION_MS,
    description: "Milliseconds for which the string can be used.",
  })),
  publicAddresses: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), {
    minItems: 1,
    maxItems: MAX_ENROLMENT_ADDRESSES,
    description: "Where devices dial, in the order to try: HOST or HOST:PORT; by default this host's name.",
  })),
  replace: Type.Optional(Type.Boolean({ description: "Whether it gives a device that is there a new key." })),
});

const MADE = closed({
  string: Type.String({ description: "For `device join`: a secret until it has been used." }),
  device: Type.String(),
  validUntil: Time,
  addresses: Type.Array(Type.String(), { description: "Where the device will dial." }),
  voided: Type.Boolean({ description: "Whether a string that was made for the device before is void now." }),
  warnings: Type.Array(Type.String(), { description: "For people: what may not work." }),
}, "A string that lets a device in, once.");

/** The routes. */
export function enrolmentRoutes(context: AdminContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/enrolments",
      id: "listEnrolments",
      summary:
        "Enrolment strings that wait to be used. Their texts are told to whoever makes them, and to nobody else.",
      response: closed({ items: Type.Array(Enrolment) }),
      async handle() {
        const waiting = await context.state?.enrolments.waiting() ?? [];
        return {
          items: waiting.map(({ device, services, validUntil, expires, comment, replace }) => ({
            device,
            services: (services ?? []).map(({ name, listen }) => ({ name, granted: formatGrantedAddress(listen) })),
            validUntil: new Date(validUntil).toISOString(),
            expires: timeOrNull(expires),
            comment: comment ?? null,
            replace,
          })),
        };
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/enrolments",
      id: "enroll",
      summary: "Makes a string that lets a device in, once; one that was made for the device before is void then.",
      body: ENROLMENT,
      response: MADE,
      async handle(
        { body: { device, services: texts, expires, comment, valid, replace = false, publicAddresses: at } },
      ) {
        const { folder, enrolments } = demandState(context);
        const services = texts?.map((text) => readText(parseGrant, text, "body.services"));
        if (!services && !replace) throw new ApiError("bad-request", 'body lacks "services"');
        if (services) readText(() => checkGrants(services), "", "body.services");
        const facts = await readFacts(folder);
        const port = portToDial(null, facts, true);
        const given = at?.map((text) => ({ port, ...readText(parsePublicAddress, text, "body.publicAddresses") }));
        const addresses = publicAddresses(given, facts);
        const made = await makeEnrolment(folder, enrolments, facts, addresses, {
          device,
          replace,
          ...(services && { services }),
          ...(expires !== undefined && { expires: readText(parseExpiry, expires, "body.expires") }),
          ...(comment !== undefined && { comment: readText(parseComment, comment, "body.comment") }),
        }, valid);
        const warnings = [...await serviceWarnings(services ?? [], facts), certificateWarning(addresses, facts)];
        return {
          string: made.text,
          device,
          validUntil: new Date(made.validUntil).toISOString(),
          addresses: addresses.map(formatAddress),
          voided: made.voided,
          warnings: warnings.filter((line) => line !== undefined),
        };
      },
    }),
  ];
}
