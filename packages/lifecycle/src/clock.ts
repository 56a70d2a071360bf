/** Now, in milliseconds on the monotonic clock that all processes of the system share. */
export function systemMonotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
