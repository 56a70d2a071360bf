// `npm test`: install, build, lint, type-check and run every test that this machine can run; say what was left out.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { environment, install, root, run } from "./toolchain.mjs";

const TASKS = ["build", "lint", "types", "test", "test:integration", "version_change"];

await install();
const mosquitto = find("mosquitto");
const cc = find("cc");
// What is installed decides what a suite can run, so turbo takes it into the key of its cache.
const env = {
  ...environment,
  IVY_TEST_MOSQUITTO: mosquitto,
  IVY_TEST_CC: cc,
  IVY_TEST_OTHERS: ["systemd-notify", "python3", "faketime", "minisign", "shellcheck"].map(find).join(),
  // Only root may mount.
  IVY_TEST_USER: String(process.getuid()),
};
const borders = await run("turbo", ["boundaries"], env);
const tasks = await run(
  "turbo",
  ["run", ...TASKS, "--continue", "--output-logs=new-only", "--ui=stream"],
  env,
);
const failures = report();
process.exit(borders || tasks || (failures > 0 ? 1 : 0));

/** Path of a program, or an empty text. */
function find(program) {
  try {
    const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
    return execFileSync("/bin/sh", ["-c", `command -v ${program}`], {
      env: { PATH: path },
      encoding: "utf8",
    }).trim();
  } catch {
    return "";
  }
}

/** Adds up the reports that the suites leave, prints what failed, what was left out and why, and the sum. */
function report() {
  const suites = reports().flatMap(({ testResults }) => testResults);
  const tests = suites.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: relative(root, name) })),
  );
  const count = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  const left = tests.filter(({ status }) => status === "pending" || status === "skipped");
  // Repeated here, since what the suites print lies thousands of lines above.
  for (const { file, fullName, failureMessages } of tests.filter(({ status }) => status === "failed"))
    console.log(`\nFailed: ${file}: ${fullName}\n${failureMessages.join("\n")}`);
  // A file that could not even be loaded has no tests that could fail.
  for (const { name, message } of suites.filter(({ message }) => message !== ""))
    console.log(`\nFailed: ${relative(root, name)}\n${message}`);
  console.log(left.length === 0 ? "\nNothing was left out." : `\nLeft out (${left.length}):`);
  for (const { fullName } of left) console.log(`  ${fullName}`);
  const tell = (program, from) =>
    console.log(`${program} is not installed: \`apt-get install ${from}\`, then run again.`);
  if (mosquitto === "") tell("mosquitto", "mosquitto");
  if (cc === "") tell("cc (a C compiler)", "gcc libc6-dev");
  const failed = count("failed");
  console.log(`${count("passed")} passed, ${failed} failed, ${left.length} skipped`);
  return failed;
}

function reports() {
  const packages = ["packages", "apps"].flatMap((group) => list(group).map((name) => join(group, name)));
  return packages.flatMap((folder) =>
    list(join(folder, ".reports"))
      .filter((file) => file.endsWith(".json"))
      .map((file) => JSON.parse(readFileSync(join(root, folder, ".reports", file), "utf8"))),
  );
}

function list(folder) {
  try {
    return readdirSync(join(root, folder));
  } catch {
    return [];
  }
}
