/**
 * Who a peer is: Ed25519 keys (RFC 8032), as files and as texts.
 *
 * @module
 */

import { PUBLIC_KEY_SIZE, publicKeyFault } from "../../protocol/public_key.ts";
import { sha256Now, signingKey, signNow, verifyNow } from "./signatures.ts";

const PREFIX = "ed25519:";

/** A key pair, and what it can prove. */
export interface Identity {
  /** The public key, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The keys as the runtime has them; the private one can be exported. */
  readonly keyPair: CryptoKeyPair;
  /** Signs `bytes`. @returns 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** Makes a new identity. */
export async function createIdentity(): Promise<Identity> {
  const keyPair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  return await identityOf(keyPair, new Uint8Array(await crypto.subtle.exportKey("raw", keyPair.publicKey)));
}

/**
 * Reads a private key, PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
 *
 * @throws {SyntaxError} if it is none.
 */
export async function identityFromPem(pem: string): Promise<Identity> {
  const body = /^\s*-----BEGIN PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (body === undefined) throw new SyntaxError(`no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----`);
  try {
    const der = fromBase64(body.replace(/\s/g, ""));
    const privateKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", privateKey);
    const raw = fromBase64Url(x ?? "");
    return await identityOf({ privateKey, publicKey: await importPublicKey(raw) }, raw);
  } catch (error) {
    throw new SyntaxError("the private key is damaged, or is not one for Ed25519", { cause: error });
  }
}

/** Writes the private key of an identity, PKCS #8 in PEM. */
export async function identityToPem(identity: Identity): Promise<string> {
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", identity.keyPair.privateKey));
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}

/**
 * Whether `signature` is that of the owner of `publicKey` over `bytes`. Whatever is malformed is not, nor is any of a key
 * that {@linkcode publicKeyFault} finds fault with.
 */
export function verify(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  return promised(() => publicKeyFault(publicKey) === undefined && verifyNow(publicKey, signature, bytes));
}

/** Writes a public key as people exchange it: `ed25519:` and 43 characters. */
export function formatPublicKey(raw: Uint8Array): string {
  return PREFIX + toBase64(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The inverse of {@linkcode formatPublicKey}; it takes exactly one spelling of every key.
 *
 * @param printer The command that prints such a key, for the message of the error.
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parsePublicKey(text: string, printer = "device key"): Uint8Array<ArrayBuffer> {
  const example = `write ${PREFIX} and 43 characters, as "${printer}" prints it`;
  if (!text.startsWith(PREFIX)) throw new SyntaxError(`"${text}" is not a public key; ${example}`);
  const body = text.slice(PREFIX.length);
  if (!/^[\w-]{43}$/.test(body)) {
    throw new SyntaxError(
      `"${text}" is not a public key: it has ${body.length} characters after ${PREFIX}; ${example}`,
    );
  }
  const raw = fromBase64Url(body);
  if (raw.length !== PUBLIC_KEY_SIZE || formatPublicKey(raw) !== text) {
    throw new SyntaxError(`"${text}" is not a public key: its last character is wrong; ${example}`);
  }
  const fault = publicKeyFault(raw);
  if (fault) throw new SyntaxError(`"${text}" is nobody's public key: ${fault}; ${example}`);
  return raw;
}

/** A short name of a public key for logs and tables: the first 8 bytes of its SHA-256, in hexadecimal pairs. */
export function fingerprint(raw: Uint8Array): Promise<string> {
  return promised(() =>
    Array.from(sha256Now(raw).subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(":")
  );
}

async function identityOf(keyPair: CryptoKeyPair, publicKey: Uint8Array<ArrayBuffer>): Promise<Identity> {
  const key = signingKey(new Uint8Array(await crypto.subtle.exportKey("pkcs8", keyPair.privateKey)));
  return { publicKey, keyPair, sign: (bytes) => promised(() => signNow(key, bytes)) };
}

/** What `work` returns, or throws, as a promise; it is done at once. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function importPublicKey(raw: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", Uint8Array.from(raw), "Ed25519", true, ["verify"]);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
