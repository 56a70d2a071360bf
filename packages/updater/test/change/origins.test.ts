import { describe, expect, it, vi } from "vitest";
import { readJournal } from "../../src/change/journal.ts";
import { readPointer } from "../../src/root/pointers.ts";
import { configuration, forever, setUp } from "./node.ts";

const LOCAL = { local: true };

describe("a change that has to wait", () => {
  it("at the node does not hold up what the server sends, though its revision is the higher one", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(10, "3.0.1"), LOCAL);
    expect(await create().performUpdate(forever())).toBe("nothing");
    await arrive(configuration(9, "2.0.0"));
    expect(await create().performUpdate(forever())).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^9-/);
    expect(readJournal(paths.journal)).toMatchObject([{ revision: 10, failures: 1 }]);
    expect(handled()).toEqual([]);
  });

  it("for its turn in the fleet does not hold up somebody at the node, and keeps its turn", async () => {
    const { paths, create, arrive } = await setUp({ spread_seconds: 86_400 });
    await arrive(configuration(8, "3.0.0"));
    expect(await create().performUpdate(forever())).toBe("nothing");
    const turn = readJournal(paths.journal);
    expect(turn).toHaveLength(1);
    // Which has to wait as well, with a time of its own.
    await arrive(configuration(7, "3.0.1"), LOCAL);
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(readJournal(paths.journal)).toEqual([...turn, expect.objectContaining({ revision: 7 })]);
    await arrive(configuration(7, "2.0.0", "another"), LOCAL);
    expect(await create().performUpdate(forever())).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^7-/);
    expect(readJournal(paths.journal)).toEqual(turn);
  });

  it("holds up what it supersedes: the newest configuration of a server is what counts", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "2.0.0", "another"));
    await arrive(configuration(9, "3.0.1"));
    for (let round = 0; round < 2; round++) expect(await create().performUpdate(forever())).toBe("nothing");
    expect(readPointer(paths, "active")).toMatch(/^7-/);
    expect(handled()).toEqual([]);
  });

  it("gives way to a later one at the node, and does not come back behind it", async () => {
    const { paths, state, create, arrive } = await setUp();
    await arrive(configuration(7, "3.0.1"), LOCAL);
    expect(await create().performUpdate(forever())).toBe("nothing");
    await arrive(configuration(7, "3.0.0"), LOCAL);
    expect(await create().performUpdate(forever())).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^7-.*-3\.0\.0$/);
    expect(state.load().pending_configs).toHaveLength(1);
    expect(state.load().handled_configs).toMatchObject([
      { outcome: "rejected", reason: "a change to version 3.0.0 that came after it has taken its place" },
    ]);
  });

  it("does not end the preparation of another origin, which one that can begin does", async () => {
    const { paths, state, create, arrive } = await setUp();
    await arrive(configuration(10, "3.0.1"), LOCAL);
    const updater = create();
    expect(await updater.performUpdate(forever())).toBe("nothing");
    await arrive(configuration(9, "3.0.3"));
    const performed = updater.performUpdate(forever());
    await vi.waitFor(() => expect(state.load().update).toMatchObject({ revision: 9, step: "fetch" }), {
      timeout: 20_000,
    });
    const ending = vi.spyOn(AbortController.prototype, "abort");
    updater.reconsider();
    expect(ending).not.toHaveBeenCalled();
    ending.mockRestore();
    await arrive(configuration(11, "3.0.0"), LOCAL);
    updater.reconsider();
    expect(await performed).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^11-/);
  });
});
