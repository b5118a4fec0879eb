const { dirname } = require("node:path");

// Next itself lies one folder further up, beside the other tools.
const root = dirname(__dirname);

module.exports = { output: "export", turbopack: { root }, outputFileTracingRoot: root };
