/**
 * Flags of Node that put memory before speed. A process of a node idles most of the time, so a small young generation,
 * compact code and few threads serve it best: 0 would be one less than there are processors.
 */
export const MEMORY_FLAGS = ["--max-semi-space-size=1", "--optimize-for-size", "--v8-pool-size=1"];
