import { describe, expect, it } from "vitest";
import { UpdateRejectedError } from "../../src/errors.ts";
import { makeKey, signRelease, verifyRelease } from "../../src/signature/release.ts";

const RELEASE = { version: "4.5.6", commit: "1".repeat(40), tree: "2".repeat(40) };
const NOW = new Date("2026-11-25T12:00:00.123Z");

const { publicKey, secretKey } = makeKey();
const { manifest, signature } = signRelease(RELEASE, secretKey, NOW);
const GOOD = { manifest: Buffer.from(manifest), signature, trustedKeys: [publicKey], version: "4.5.6" };

function codeOf(options: Partial<typeof GOOD>): string {
  try {
    verifyRelease({ ...GOOD, ...options });
    return "verified";
  } catch (error) {
    if (error instanceof UpdateRejectedError) return error.code;
    throw error;
  }
}

/** The same text with one character of one line replaced. */
function altered(text: string, line: number, at: number): string {
  const lines = text.split("\n");
  const old = lines[line] ?? "";
  lines[line] = `${old.slice(0, at)}${old[at] === "A" ? "B" : "A"}${old.slice(at + 1)}`;
  return lines.join("\n");
}

describe("a signed release", () => {
  it("says what it is after its signature has proven right", () => {
    expect(verifyRelease(GOOD)).toEqual({ schema: 1, ...RELEASE, created_at: "2026-11-25T12:00:00Z" });
  });

  it("may be signed by any of the trusted keys, given as a file or as its line alone", () => {
    const line = publicKey.split("\n")[1] ?? "";
    expect(codeOf({ trustedKeys: [makeKey().publicKey, line] })).toBe("verified");
  });

  it("is refused if it is signed by another key, or by one that is trusted no more", () => {
    expect(codeOf({ trustedKeys: [makeKey().publicKey] })).toBe("IVY_KEY_NOT_TRUSTED");
    expect(codeOf({ trustedKeys: [] })).toBe("IVY_KEY_NOT_TRUSTED");
  });

  it("is refused if it is signed by another key that goes by the id of a trusted one", () => {
    const foreign = makeKey();
    const [comment, own = ""] = publicKey.split("\n");
    const bytes = Buffer.from(foreign.publicKey.split("\n")[1] ?? "", "base64");
    Buffer.from(own, "base64").copy(bytes, 2, 2, 10);
    expect(codeOf({ trustedKeys: [`${comment}\n${bytes.toString("base64")}\n`] })).toBe(
      "IVY_SIGNATURE_INVALID",
    );
  });

  it("is refused if the manifest, the signature or its comment have been altered", () => {
    const other = Buffer.from(manifest.replace("4.5.6", "4.5.7"));
    expect(codeOf({ manifest: other, version: "4.5.7" })).toBe("IVY_SIGNATURE_INVALID");
    expect(codeOf({ signature: altered(signature, 1, 40) })).toBe("IVY_SIGNATURE_INVALID");
    expect(codeOf({ signature: altered(signature, 2, 20) })).toBe("IVY_SIGNATURE_INVALID");
    expect(codeOf({ signature: altered(signature, 3, 20) })).toBe("IVY_SIGNATURE_INVALID");
  });

  it("is refused if it is of another version than the wanted one", () => {
    expect(codeOf({ version: "4.5.7" })).toBe("IVY_MANIFEST_OTHER_VERSION");
  });

  it("is refused if its signature cannot be read", () => {
    expect(codeOf({ signature: "" })).toBe("IVY_SIGNATURE_UNREADABLE");
    expect(codeOf({ signature: "<html>please sign in</html>" })).toBe("IVY_SIGNATURE_UNREADABLE");
  });

  it("is refused if a trusted key is none, so that a typing error is seen", () => {
    expect(codeOf({ trustedKeys: [publicKey, "RWQ"] })).toBe("IVY_TRUSTED_KEY_INVALID");
  });

  it("is not made with what is no secret key, or of what is no release", () => {
    expect(() => signRelease(RELEASE, publicKey)).toThrow("The secret key is not in the format of minisign");
    expect(() => signRelease({ ...RELEASE, commit: "main" }, secretKey)).toThrow();
  });
});
