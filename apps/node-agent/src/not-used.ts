/** Stands in for parts of libraries that the agent never calls: see `tsup.common.ts`. */
export default {};
