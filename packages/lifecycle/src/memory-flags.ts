/**
 * Flags of Node that put memory before speed. A process of a node idles most of the time, so a small young generation,
 * compact code and no threads of V8's own serve it best.
 */
export const MEMORY_FLAGS = ["--max-semi-space-size=1", "--optimize-for-size", "--v8-pool-size=0"];
