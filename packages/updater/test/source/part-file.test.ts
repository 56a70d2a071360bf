import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PartFile } from "../../src/source/http/part-file.ts";
import { makeFolder } from "./support.ts";

const ETAG = '"first"';

/** A part of which 5 bytes are surely on disk. */
async function prepare() {
  const folder = makeFolder();
  const path = join(folder.path, "artifact");
  using part = new PartFile(path, "target");
  part.restart(ETAG);
  await part.append(Buffer.from("first"));
  await part.sync();
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe("a part of a download, after the power failed", () => {
  it("is gone on with where it was surely on disk, whatever lies behind that", async () => {
    using there = await prepare();
    appendFileSync(`${there.path}.part`, "\0\0\0\0");
    using part = new PartFile(there.path, "target");
    expect({ bytes: part.bytes, etag: part.etag }).toEqual({ bytes: 5, etag: ETAG });
    await part.append(Buffer.from(" second"));
    expect(readFileSync(part.file, "utf8")).toBe("first second");
  });

  it("is never taken for the beginning of what had taken its place", async () => {
    using there = await prepare();
    using before = new PartFile(there.path, "target");
    before.restart('"other"');
    await before.append(Buffer.from("another content"));
    using part = new PartFile(there.path, "target");
    expect({ bytes: part.bytes, etag: part.etag }).toEqual({ bytes: 0, etag: undefined });
  });

  it("is begun anew if it is shorter than it should be, of something else, or what is known of it is damaged", async () => {
    const damages: [target: string, damage: (path: string) => void][] = [
      ["target", (path) => writeFileSync(`${path}.part`, "fir")],
      ["another target", () => {}],
      ["target", (path) => writeFileSync(`${path}.meta`, "{")],
      ["target", (path) => writeFileSync(`${path}.meta`, "{}")],
    ];
    for (const [target, damage] of damages) {
      using there = await prepare();
      damage(there.path);
      using part = new PartFile(there.path, target);
      expect({ bytes: part.bytes, etag: part.etag }).toEqual({ bytes: 0, etag: undefined });
      part.restart(null);
      expect(readFileSync(part.file, "utf8")).toBe("");
    }
  });
});
