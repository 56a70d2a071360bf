/** Whether an error carries this `code`, as those of Node's file system do (`ENOENT`, `EEXIST`, ...). */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
