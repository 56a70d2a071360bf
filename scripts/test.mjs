// `npm test`: install, build, lint, type-check and run every test that this machine can run; say what was left out.
import { execFileSync } from "node:child_process";
import { report } from "./report.mjs";
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
if (mosquitto === "") tell("mosquitto", "mosquitto");
if (cc === "") tell("cc (a C compiler)", "gcc libc6-dev");
const { text, failed } = report(root);
console.log(text);
process.exit(borders || tasks || (failed > 0 ? 1 : 0));

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

function tell(program, from) {
  console.log(`${program} is not installed: \`apt-get install ${from}\`, then run again.`);
}
