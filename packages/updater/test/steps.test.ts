import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { rootPaths } from "../src/root/paths.ts";
import { checkRoom } from "../src/steps/check-room.ts";
import { networkEnvironment, versionEnvironment } from "../src/steps/environment.ts";
import { OutputTail } from "../src/steps/output-tail.ts";

describe("what a step prints", () => {
  it("is kept up to its last 64 KiB", () => {
    const tail = new OutputTail([]);
    const take = tail.stream();
    for (let line = 0; line < 100_000; line++) take(Buffer.from(`line ${line}\n`));
    take(undefined);
    expect(tail.toString().length).toBe(64 * 1024);
    expect(tail.toString()).toMatch(/line 99998\nline 99999\n$/);
  });

  it("is without secrets, however they are cut by chunks, also in a line without end", () => {
    const secret = "correct-horse-battery";
    for (const filler of ["", "x".repeat(16 * 1024 - 10), "x".repeat(70_000)]) {
      for (let at = 1; at < secret.length; at++) {
        const tail = new OutputTail([secret, "horse"]);
        const take = tail.stream();
        take(Buffer.from(filler + secret.slice(0, at)));
        take(Buffer.from(`${secret.slice(at)} and more`));
        take(undefined);
        expect(tail.toString().replaceAll("x", "")).toBe("[redacted] and more");
      }
    }
  });

  it("is without secrets as they are written in JSON, in addresses and in Base64", () => {
    const secret = 'a "quoted" one';
    const tail = new OutputTail([secret]);
    const written = [JSON.stringify({ secret }), encodeURIComponent(secret), btoa(secret)];
    tail.stream()(Buffer.from(`${written.join("\n")}\n`));
    expect(tail.toString()).toBe('{"secret":"[redacted]"}\n[redacted]\n[redacted]\n');
  });

  it("is handed on line by line until 64 KiB of it have been", () => {
    const lines: string[] = [];
    const take = new OutputTail(["hush"], (line) => lines.push(line)).stream();
    take(Buffer.from("one\n\ntw"));
    take(Buffer.from("o hush\n"));
    for (let line = 0; line < 100_000; line++) take(Buffer.from("again and again\n"));
    expect(lines.slice(0, 2)).toEqual(["one", "two [redacted]"]);
    expect(lines.join("\n").length).toBeLessThan(2 * 64 * 1024);
  });
});

describe("the environment of a step", () => {
  const env = {
    HOME: "/home/pi",
    IVY_RUN: "run",
    GITHUB_TOKEN: "t",
    pnpm_config_registry: "r",
    PATH: "/odd",
  };

  it("has nothing but what it needs, and no token", () => {
    expect(Object.keys(versionEnvironment("/ivy/1.2.3", env))).not.toContain("GITHUB_TOKEN");
    expect(Object.keys(versionEnvironment("/ivy/1.2.3", env))).not.toContain("pnpm_config_registry");
    expect(networkEnvironment(env)).toMatchObject({
      HOME: "/home/pi",
      IVY_RUN: "run",
      pnpm_config_registry: "r",
    });
    expect(Object.keys(networkEnvironment(env))).not.toContain("GITHUB_TOKEN");
  });

  it("runs a version with the Node that it brings along", () => {
    expect(versionEnvironment("/ivy/1.2.3", env)["PATH"]).toMatch(/^\/ivy\/1\.2\.3\/node_modules\/\.bin:/);
  });
});

describe("room for a version", () => {
  it("is checked before anything is fetched", () => {
    const paths = rootPaths(mkdtempSync(join(tmpdir(), "ivy-room-")));
    onTestFinished(() => rmSync(paths.root, { recursive: true }));
    expect(() => checkRoom(paths)).not.toThrow();
    expect(() => checkRoom(paths, { bytes: 1e18, files: 0 })).toThrowError(
      expect.objectContaining({ name: "UpdateDeferredError", code: "IVY_NO_ROOM" }),
    );
  });
});
