import { delimiter, join } from "node:path";

/** What a step finds out about this machine from its environment: nothing that holds a secret. */
const OF_THE_MACHINE = ["HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** By this the launcher finds what an agent has left behind. */
const OF_THE_RUN = ["IVY_RUN"];

/** What it takes to reach the registry from a network that asks for it. */
const OF_THE_NETWORK = [
  ...["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "pnpm_config_registry", "pnpm_config_cafile"],
];

/** Programs of the system; cron gives little more. */
const SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"];

/** What the Node of a version may hold while it bundles or tests; it has never needed 100 MiB. */
const NODE_OPTIONS = "--max-old-space-size=160 --max-semi-space-size=1";

/** pnpm would fetch itself anew for a version whose package.json names another release of it, without any checksum. */
const THIS_PNPM = { pnpm_config_pm_on_fail: "ignore" };

/** The environment of a step that runs programs of a new version, with the runtime of that version. */
export function versionEnvironment(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...pick(env, [...OF_THE_MACHINE, ...OF_THE_RUN]),
    PATH: [join(folder, "node_modules/.bin"), ...SYSTEM_PATH].join(delimiter),
    NODE_OPTIONS,
    ...THIS_PNPM,
    ...FRUGAL,
    CI: "true",
    NO_COLOR: "1",
  };
}

/** The environment of a step that fetches packages. */
export function networkEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...pick(env, [...OF_THE_MACHINE, ...OF_THE_RUN, ...OF_THE_NETWORK]),
    PATH: SYSTEM_PATH.join(delimiter),
    ...THIS_PNPM,
    ...FRUGAL,
    CI: "true",
    NO_COLOR: "1",
  };
}

/**
 * Memory before speed. pnpm: what it frees goes back to the system at once, which halves what it holds while it unpacks
 * a large package, and each of its threads holds some too. esbuild: collects garbage soon. Node and the C library: give
 * back what they have freed.
 */
const FRUGAL = {
  MIMALLOC_PURGE_DELAY: "0",
  RAYON_NUM_THREADS: "1",
  TOKIO_WORKER_THREADS: "1",
  GOMAXPROCS: "1",
  GOGC: "20",
  MALLOC_ARENA_MAX: "1",
  MALLOC_TRIM_THRESHOLD_: "65536",
  MALLOC_MMAP_THRESHOLD_: "65536",
};

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}
