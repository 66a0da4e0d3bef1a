/**
 * `serial:/dev/ttyUSB0,115200,8n1`: a serial line, for one client at a time.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import { parseSerialEndpoint, type SerialEndpoint } from "../../serial/endpoint.ts";
import { whyNoTty } from "../../serial/line/tty.ts";
import { openSerialService } from "../../serial/server/service.ts";
import { type Endpoint, type EndpointKind, type Reach, type Surroundings, UNKNOWN_CLIENT } from "./endpoint.ts";

/** Serial lines of this machine. */
export const serialKind: EndpointKind = {
  name: "serial",
  example: "serial:/dev/ttyUSB0,115200,8n1",
  keys: ["flow", "share", "control", "replug"],
  takesHeader: false,
  isLookedAt: true,
  parse(text): Endpoint {
    const line = parseSerialEndpoint(text);
    return {
      address: `serial:${line.path}`,
      lacks: () => whyNoTty(line.path),
      open: (surroundings) => openLine(line, surroundings),
    };
  },
};

/** What is wrong now may be right when a client comes; it is told in any case, as nobody else would notice. */
function openLine(line: SerialEndpoint, { clock, logger, service: name }: Surroundings): Reach {
  const service = openSerialService(line, { clock, logger });
  service.probe().catch((error: unknown) => {
    logger.warn("service {service}: {error}; clients are refused until that is over", {
      service: name,
      error: describeError(error),
    });
  });
  return {
    connect: ({ client }) => service.connect(client || UNKNOWN_CLIENT),
    look: () => service.probe(),
    get state() {
      const { state, settings, clients, lost } = service.status;
      const users = clients.filter(({ isUser }) => isUser).length;
      return { state, detail: settings, counts: { users, watchers: clients.length - users, lost } };
    },
    close: () => service.close(),
  };
}
