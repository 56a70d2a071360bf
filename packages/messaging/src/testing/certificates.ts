import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

export interface CertificateOptions {
  /** Names and addresses it is for, such as `DNS:localhost` or `IP:127.0.0.1`; both of these if left out. */
  hosts?: readonly string[];
  /** It has expired when it is made. */
  expired?: boolean;
}

/** An authority of one's own, for tests. */
export interface TestAuthority extends Disposable {
  /** Its certificate, in PEM. */
  readonly caFile: string;
  /** Issues a certificate, to a broker or a client. */
  issue(name: string, options?: CertificateOptions): CertificateFiles;
}

const NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/** Makes an authority in a temporary folder, with the program `openssl`. */
export function createTestAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), "ivy-certificates-"));
  const ca = { CA: join(folder, "ca.pem"), CAkey: join(folder, "ca.key") };
  openssl(`req -x509 ${NEW_KEY} -days 2`, { keyout: ca.CAkey, out: ca.CA, subj: "/CN=Test authority" });
  return {
    caFile: ca.CA,
    issue(name, { hosts = ["DNS:localhost", "IP:127.0.0.1"], expired = false } = {}) {
      const file = (end: string) => join(folder, `${name}.${end}`);
      const [certFile, keyFile, request] = [file("pem"), file("key"), file("csr")];
      const addext = `subjectAltName=${hosts.join(",")}`;
      openssl(`req ${NEW_KEY}`, { keyout: keyFile, out: request, subj: `/CN=${name}`, addext });
      const validity = expired ? "-days -1" : "-days 2";
      openssl(`x509 -req ${validity} -CAcreateserial -copy_extensions copyall`, {
        in: request,
        out: certFile,
        ...ca,
      });
      return { certFile, keyFile };
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs openssl with a command in words, and options whose values are taken as they are. */
function openssl(command: string, options: Record<string, string>): void {
  const rest = Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
  execFileSync("openssl", [...command.split(" "), ...rest], { stdio: ["ignore", "ignore", "pipe"] });
}
