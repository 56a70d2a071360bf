/** Stands in for parts of libraries that the agent never calls. */
module.exports = class NotUsed {};
