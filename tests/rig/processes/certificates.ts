/**
 * A private CA, made with openssl.
 *
 * @module
 */

import { Child } from "./child.ts";

/** A CA and what it can do. */
export interface CertificateAuthority {
  /** Its certificate, as PEM. */
  readonly file: string;
  /** Makes `NAME.key` and `NAME.pem` in its folder, good for names such as `DNS:localhost`, for a day, or for `days`. */
  issue(name: string, names: readonly string[], days?: number): Promise<void>;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"];

/** Makes a CA in a folder. */
export async function makeAuthority(folder: string): Promise<CertificateAuthority> {
  const file = `${folder}/ca.pem`;
  await openssl(
    ...["req", "-x509", ...CURVE, "-keyout", `${folder}/ca.key`, "-out", file, "-days", "2", "-subj", "/CN=test CA"],
    ...["-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign"],
  );
  const issue = async (name: string, names: readonly string[], days = 1) => {
    const request = `${folder}/${name}.csr`;
    const extensions = `${folder}/${name}.ext`;
    await Deno.writeTextFile(extensions, `subjectAltName=${names.join()}\nbasicConstraints=CA:false\n`);
    await openssl("req", "-new", ...CURVE, "-keyout", `${folder}/${name}.key`, "-out", request, "-subj", `/CN=${name}`);
    await openssl(
      ...["x509", "-req", "-in", request, "-CA", file, "-CAkey", `${folder}/ca.key`, "-CAcreateserial"],
      ...["-days", `${days}`, "-sha256", "-extfile", extensions, "-out", `${folder}/${name}.pem`],
    );
  };
  return { file, issue };
}

async function openssl(...args: string[]): Promise<void> {
  await using child = await Child.run("openssl", ["openssl", ...args]);
  if (await child.exited !== 0) throw new Error(`openssl ${args[0]} failed: ${child.stderr.join("; ")}`);
}
