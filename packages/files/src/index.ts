export { dyingWithParent } from "./die-with-parent.ts";
export { isCode } from "./error-code.ts";
export { KernelLock, lockHolder } from "./kernel-lock.ts";
export { LockFileError } from "./lock-file-error.ts";
export { LockHeldError } from "./lock-held-error.ts";
export { removeDrafts, replaceFile, syncFolder } from "./replace-file.ts";
export { watchFile } from "./watch-file.ts";
