/** Stands in for `assert`, of which two libraries need no more: loading all of it takes as long as the store. */
function assert(isRight, message) {
  if (!isRight) throw new Error(message);
}

module.exports = Object.assign(assert, {
  equal: (actual, expected, message) => assert(actual === expected, message),
});
