import { describe, expect, it } from "vitest";
import { hasMosquitto } from "../src/testing.ts";
import { killAtRandom } from "./kill/kill-at-random.ts";

describe.skipIf(!hasMosquitto)(
  "4 writers and a forwarder that are killed at random, over a broker and a link that fail (needs mosquitto)",
  () => {
    it("lose no message that was acknowledged, keep the order of each writer, and repeat only what was in flight, as it was", {
      timeout: 120_000,
    }, async () => {
      const { problems } = await killAtRandom({
        kills: 20,
        brokerRestarts: 2,
        linkCuts: 4,
        messages: 5_000,
        patienceSeconds: 60,
      });
      expect(problems).toEqual([]);
    });
  },
);
