import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  KernelLock,
  LockFileError,
  LockHeldError,
  lockHolder,
  removeDrafts,
  replaceFile,
} from "../src/index.ts";

const WRITER = join(import.meta.dirname, "fixtures/replace-and-hang.ts");
const HOLDER = join(import.meta.dirname, "fixtures/hold-lock.ts");

function temporary(name: string): string {
  return join(mkdtempSync(join(tmpdir(), "ivy-files-")), name);
}

/** Starts a process that holds the lock, and waits until it does. */
async function startHolder(file: string): Promise<ChildProcess> {
  const holder = spawn(process.execPath, [HOLDER, file], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  return holder;
}

describe("replaceFile", () => {
  it("replaces the content and sets the mode, leaving no draft behind", () => {
    const file = temporary("config.json");
    writeFileSync(file, "old", { mode: 0o644 });
    replaceFile(file, "new", 0o600);
    expect(readFileSync(file, "utf8")).toBe("new");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(file, ".."))).toEqual(["config.json"]);
  });

  it("leaves the old file and no draft where it fails", () => {
    const file = temporary("folder");
    replaceFile(join(file, "..", "kept"), "old");
    expect(() => replaceFile(join(file, "missing", "kept"), "new")).toThrow(/ENOENT/);
    expect(() => replaceFile(join(file, ".."), "new")).toThrow();
    expect(readdirSync(join(file, ".."))).toEqual(["kept"]);
  });
});

describe("removeDrafts", () => {
  it("removes what a killed process has left, and nothing else", async () => {
    const folder = dirname(temporary("config.json"));
    const writer = spawn(process.execPath, [WRITER, join(folder, "config.json")], { stdio: "inherit" });
    await vi.waitFor(() => expect(readdirSync(folder)).not.toEqual([]), 20_000);
    const [draft] = readdirSync(folder);
    const others = ["config.json", "notes.tmp", `state.json.${process.pid}-abc.tmp`];
    for (const name of others) writeFileSync(join(folder, name), "");
    removeDrafts(folder);
    expect(readdirSync(folder)).toEqual([draft, ...others].sort());
    writer.kill("SIGKILL");
    await once(writer, "exit");
    removeDrafts(folder);
    expect(readdirSync(folder)).toEqual(others);
  });
});

describe("KernelLock", () => {
  it("is held by one process, which the kernel names", async () => {
    const file = temporary("lock");
    const holder = await startHolder(file);
    using lock = new KernelLock(file);
    expect(lock.tryAcquire()).toBe(false);
    expect(lockHolder(file)).toBe(holder.pid);
    await expect(lock.acquire(20)).rejects.toThrow(new RegExp(`locked by process ${holder.pid}`));
    await expect(lock.acquire(0)).rejects.toBeInstanceOf(LockHeldError);
  });

  it("is free the moment its holder is killed", async () => {
    const file = temporary("lock");
    const holder = await startHolder(file);
    using lock = new KernelLock(file);
    const waiting = lock.acquire(20_000);
    holder.kill("SIGKILL");
    await waiting;
    expect(lockHolder(file)).toBe(process.pid);
  });

  it("does not believe file times", async () => {
    const file = temporary("lock");
    await startHolder(file);
    utimesSync(file, 0, 0);
    using lock = new KernelLock(file);
    expect(lock.tryAcquire()).toBe(false);
  });

  it("excludes within one process too, writes nothing and can be taken again", () => {
    const file = temporary("lock");
    using first = new KernelLock(file);
    using second = new KernelLock(file);
    expect(first.tryAcquire()).toBe(true);
    expect(second.tryAcquire()).toBe(false);
    first.release();
    expect(second.tryAcquire()).toBe(true);
    expect(statSync(file).size).toBe(0);
    expect(readdirSync(join(file, ".."))).toEqual(["lock"]);
  });

  it("tells one process that has taken it before so, and not to stop", async () => {
    const file = temporary("lock");
    using first = new KernelLock(file);
    using second = new KernelLock(file);
    expect(first.tryAcquire()).toBe(true);
    expect(first.tryAcquire()).toBe(false);
    for (const lock of [first, second]) {
      await expect(lock.acquire(0)).rejects.toBeInstanceOf(LockHeldError);
      await expect(lock.acquire(0)).rejects.toThrow(
        /by this process itself, .*; release it where it was taken before/,
      );
    }
    expect(lockHolder(file)).toBe(process.pid);
  });

  it("says with its path where a file cannot be one", () => {
    const data = temporary("data.json");
    writeFileSync(data, "[]".repeat(1_000));
    const missing = join(data, "..", "missing", "lock");
    for (const file of [data, missing]) {
      const take = () => {
        using lock = new KernelLock(file);
        lock.tryAcquire();
      };
      expect(take).toThrow(LockFileError);
      expect(take).toThrow(`${file} cannot be used as a lock`);
    }
    expect(readFileSync(data, "utf8")).toBe("[]".repeat(1_000));
  });

  it("names nobody where nobody holds it", () => {
    const file = temporary("lock");
    expect(lockHolder(file)).toBeUndefined();
    writeFileSync(file, "");
    expect(lockHolder(file)).toBeUndefined();
  });
});
