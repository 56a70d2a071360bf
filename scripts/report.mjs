// What `npm test` says at its end.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * Adds up the reports that the suites of all packages have left.
 *
 * @param {string} root - folder of the repository
 * @returns {{ text: string, failed: number }} what failed, what was left out, and the sum
 */
export function report(root) {
  const files = reports(root).flatMap(({ testResults }) => testResults);
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: relative(root, name) })),
  );
  const left = tests.filter(({ status }) => status === "pending" || status === "skipped");
  // Repeated here, since what the suites print lies thousands of lines above.
  const failures = [
    ...tests
      .filter(({ status }) => status === "failed")
      .map(({ file, fullName, failureMessages }) => [`${file}: ${fullName}`, ...failureMessages]),
    ...files
      .filter(hasFailedOtherwise)
      .map(({ name, message }) => [relative(root, name), message || "A hook has failed: see above"]),
  ];
  const passed = tests.filter(({ status }) => status === "passed").length;
  const lines = [
    ...failures.map(([what, ...why]) => `\nFailed: ${what}\n${why.join("\n")}`),
    left.length === 0 ? "\nNothing was left out." : `\nLeft out (${left.length}):`,
    ...left.map(({ fullName }) => `  ${fullName}`),
    `${passed} passed, ${failures.length} failed, ${left.length} skipped`,
  ];
  return { text: lines.join("\n"), failed: failures.length };
}

const hasFailed = ({ status }) => status === "failed";

/** A file that could not even be loaded has no tests that could fail, and those behind a hook that fails are skipped. */
function hasFailedOtherwise(file) {
  return hasFailed(file) && !file.assertionResults.some(hasFailed);
}

function reports(root) {
  const groups = ["packages", "apps"].map((group) => join(root, group));
  const packages = groups.flatMap((group) => list(group).map((name) => join(group, name)));
  return packages
    .map((folder) => join(folder, ".reports"))
    .flatMap((folder) => list(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(file, "utf8")));
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
