import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { State } from "@ivy/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { StateInterface } from "../src/index.ts";

const COUNT = join(import.meta.dirname, "fixtures/count.ts");

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "ivy-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function startCounting(dataDir: string, times: number): ChildProcess {
  const counter = spawn(process.execPath, ["--conditions=@ivy/source", COUNT, dataDir, String(times)], {
    stdio: "inherit",
  });
  onTestFinished(() => void counter.kill("SIGKILL"));
  return counter;
}

describe("the state", () => {
  it("loses no update of 8 processes that add 1 a thousand times each", { timeout: 300_000 }, async () => {
    const dataDir = temporary();
    const counters = Array.from({ length: 8 }, () => startCounting(dataDir, 1_000));
    const ends = await Promise.all(counters.map((counter) => once(counter, "exit")));
    expect(ends.map(([code]) => code)).toEqual(Array(8).fill(0));
    expect(new StateInterface({ dataDir }).load()["count"]).toBe(8_000);
  });

  it("loses no update of one process that makes many at a time", async () => {
    const dataDir = temporary();
    const [first, second] = [new StateInterface({ dataDir }), new StateInterface({ dataDir })];
    const add = (draft: State) => {
      draft["count"] = Number(draft["count"] ?? 0) + 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, turn) => (turn % 2 ? first : second).update(add)));
    expect(first.load()["count"]).toBe(20);
  });

  it("is whole, and free for the next, whenever its writers are killed", { timeout: 300_000 }, async () => {
    const dataDir = temporary();
    for (let round = 0; round < 5; round++) {
      const counter = startCounting(dataDir, 100_000);
      await vi.waitFor(
        () =>
          expect(Number(new StateInterface({ dataDir }).load()["count"] ?? 0)).toBeGreaterThan(round * 20),
        50_000,
      );
      counter.kill("SIGKILL");
      await once(counter, "exit");
      const before = Number(JSON.parse(readFileSync(join(dataDir, "state.json"), "utf8")).count);
      await new StateInterface({ dataDir }).update((draft) => {
        expect(draft["count"]).toBe(before);
        draft["count"] = (round + 1) * 20;
      });
    }
  });

  it("takes a missing or an empty state for its defaults", () => {
    expect(new StateInterface({ dataDir: temporary() }).load()).toEqual({
      system: { last_boot_time: null, last_5_min_load: null },
      pending_configs: [],
      handled_configs: [],
    });
  });

  it("keeps what it does not know: it belongs to another version", async () => {
    const dataDir = temporary();
    writeFileSync(join(dataDir, "state.json"), JSON.stringify({ my_sensor: { calibrated: true } }));
    await new StateInterface({ dataDir }).update((draft) => {
      draft.system.last_5_min_load = 12;
    });
    const written = JSON.parse(readFileSync(join(dataDir, "state.json"), "utf8"));
    expect(written).toMatchObject({ my_sensor: { calibrated: true }, system: { last_5_min_load: 12 } });
  });

  it.each([
    ["torn", '{"system": {"last_'],
    ["not JSON", '{"password": "canary" x}'],
    ["empty", ""],
    ["against the schema", '{\n  "pending_configs": 3\n}\n'],
  ])("keeps a file that is %s aside, says so, and goes on", async (_, text) => {
    const dataDir = temporary();
    writeFileSync(join(dataDir, "state.json"), text);
    const onIncident = vi.fn();
    const state = new StateInterface({ dataDir, onIncident });
    expect(state.load().pending_configs).toEqual([]);
    await state.update((draft) => {
      draft["count"] = 1;
    });
    const kept = join(dataDir, "state.json.unreadable-1");
    expect(readFileSync(kept, "utf8")).toBe(text);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(onIncident).toHaveBeenCalledWith(expect.stringContaining("state.json.unreadable-1"));
    expect(onIncident).not.toHaveBeenCalledWith(expect.stringContaining("canary"));
    expect(state.load()["count"]).toBe(1);
  });

  it("takes over from Python Ivy all but the configurations that wait, and says so in a line", async () => {
    const dataDir = temporary();
    const file = join(dataDir, "state.json");
    const waiting = {
      general: { config_revision: 3, software_version: "1.2.3" },
      backend: { password: "canary" },
    };
    const system = { last_boot_time: "2024-01-01T00:00:00+00:00", last_5_min_load: 3 };
    writeFileSync(file, JSON.stringify({ system, pending_configs: [waiting], my_sensor: 1 }));
    const onIncident = vi.fn();
    const state = new StateInterface({ dataDir, onIncident });
    const left = { system, pending_configs: [], handled_configs: [], my_sensor: 1 };
    expect(state.load()).toEqual(left);
    await state.update(() => undefined);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(left);
    const kept = { ...waiting, backend: { password: "[redacted]" } };
    expect(JSON.parse(readFileSync(`${file}.unreadable-1`, "utf8"))).toEqual({
      system,
      pending_configs: [kept],
      my_sensor: 1,
    });
    expect(onIncident.mock.calls).toEqual([
      [
        `${file} holds "pending_configs" in a form that this version does not know; ` +
          `it is kept as ${file}.unreadable-1, and everything else is taken over`,
      ],
    ]);
  });

  it("writes nothing where nothing changes", async () => {
    const dataDir = temporary();
    const state = new StateInterface({ dataDir });
    const set = (draft: State) => {
      draft["count"] = 1;
    };
    await state.update(set);
    utimesSync(join(dataDir, "state.json"), 1, 1);
    await state.update(set);
    expect(statSync(join(dataDir, "state.json")).mtimeMs).toBe(1_000);
  });

  it("stays as it was where the change throws or the disk does not take it, and can be changed again", async () => {
    const dataDir = temporary();
    const state = new StateInterface({ dataDir });
    await expect(
      state.update(() => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    mkdirSync(join(dataDir, "state.json"));
    await expect(state.update(() => undefined)).rejects.toThrow(/EISDIR/);
    rmSync(join(dataDir, "state.json"), { recursive: true });
    await state.update((draft) => {
      draft["count"] = 1;
    });
    expect(readdirSync(dataDir).sort()).toEqual(["state.json", "state.lock"]);
  });
});
