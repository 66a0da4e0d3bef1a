/**
 * What a side of v2 can do beyond what all can, as bits in HELLO and CHALLENGE; `v2.md`, "Handshake".
 *
 * @module
 */

/** Sessions outlive their links; `v2.md`, "Resume". */
export const CAN_RESUME = 1;

/** Of one handshake: the device comes by another way while its link is still up; `v2.md`, "Resume". */
export const IS_MOVING = 2;

/** Of one connection: the side has the exporter of its TLS, and signs it; `v2.md`, "Binding". */
export const CAN_BIND = 4;

/** Links have epochs, and sessions names of two parts; `v2.md`, "Epochs" and "Names of sessions". */
export const HAS_EPOCHS = 8;

/** CONNECT may name an address in place of a service, within what the device's owner allows; `v2.md`, "Named addresses". */
export const CAN_NAME_ADDRESSES = 16;

/** Probes while nobody waits are apart from those while somebody does; `v2.md`, "Keep-alive, clocks, settings". */
export const ADAPTS = 32;

/** Services may be over UDP, with a record for each datagram on their channels; `v2.md`, "Datagrams". */
export const CAN_DATAGRAMS = 64;
