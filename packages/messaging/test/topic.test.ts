import { expect, it } from "vitest";
import { matches } from "../src/forward/topic.ts";

it.each([
  ["a/b", ["a/b"], ["a", "a/b/c", "a/c", "/a/b", "A/b"]],
  ["a/+", ["a/b", "a/"], ["a", "a/b/c", "b/a"]],
  ["a/+/c/+", ["a/b/c/d"], ["a/b/c", "a/c/d"]],
  ["a/#", ["a", "a/b", "a/b/c"], ["ab", "b/a"]],
  ["#", ["a", "/a/b"], ["$SYS/uptime"]],
  ["+/b", ["a/b", "/b"], ["$SYS/b", "b"]],
  ["$SYS/#", ["$SYS/uptime"], ["a"]],
  ["$share/group/a/+", ["a/b"], ["$share/group/a/b", "group/a/b", "a"]],
])("the filter %s stands for the topics %j and not for %j", (filter, wanted, others) => {
  expect(wanted.filter((topic) => !matches(filter, topic))).toEqual([]);
  expect(others.filter((topic) => matches(filter, topic))).toEqual([]);
});
