/** What the forwarder tells people. */
export interface ForwarderLog {
  debug(message: string, details?: string): void;
  info(message: string, details?: string): void;
  warning(message: string, details?: string): void;
  error(message: string, details?: string): void;
}
