import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  makeKey,
  readSignature,
  signRelease,
  verifyRelease,
  verifySignature,
} from "../../src/signature/release.ts";
import { makeFolder } from "./support.ts";

const RELEASE = { version: "4.5.6", commit: "1".repeat(40), tree: "2".repeat(40) };

const hasMinisign = (() => {
  try {
    execFileSync("minisign", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const minisign = (...args: string[]) => execFileSync("minisign", args, { stdio: "pipe" }).toString();

describe.skipIf(!hasMinisign)("keys and signatures (needs minisign)", () => {
  it("made here are used by minisign", () => {
    const { publicKey, secretKey } = makeKey();
    const { manifest, signature } = signRelease(RELEASE, secretKey);
    using folder = makeFolder({
      "ivy.pub": publicKey,
      "ivy.key": secretKey,
      m: manifest,
      "m.minisig": signature,
    });
    const [file, pub, key] = ["m", "ivy.pub", "ivy.key"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    expect(minisign("-V", "-p", pub, "-m", file)).toContain("version 4.5.6");
    minisign("-S", "-s", key, "-m", file);
    const signed = { manifest: readFileSync(file), signature: readFileSync(`${file}.minisig`, "utf8") };
    expect(verifyRelease({ ...signed, trustedKeys: [publicKey] }).version).toBe("4.5.6");
  });

  it("made by minisign are used here, also those of its old procedure", () => {
    using folder = makeFolder();
    const [file, pub, key] = ["m", "p", "s"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    minisign("-G", "-W", "-p", pub, "-s", key);
    const publicKey = readFileSync(pub, "utf8");
    const { manifest, signature } = signRelease(RELEASE, readFileSync(key, "utf8"));
    verifyRelease({ manifest: Buffer.from(manifest), signature, trustedKeys: [publicKey] });
    writeFileSync(file, manifest);
    minisign("-S", "-l", "-s", key, "-m", file);
    const old = readSignature(readFileSync(`${file}.minisig`, "utf8"));
    expect(old.hashed).toBe(false);
    verifySignature(old, [publicKey], "m", Buffer.from(manifest));
  });
});
