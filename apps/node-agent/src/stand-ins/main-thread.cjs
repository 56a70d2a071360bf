/** Stands in for `worker_threads`, of which pino asks only where it runs. */
module.exports = { isMainThread: true };
