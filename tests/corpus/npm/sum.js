/* sum.js: what sum.test.js tests. */
exports.sum = (a, b) => a + b;
exports.base = () => process.env.SUM_BASE || "none";
