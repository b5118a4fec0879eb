export default {
  mode: "production",
  entry: { main: "./main.js", external: "./external.js" },
  // What one of the SDK's files must not cost a visitor.
  performance: { hints: "error", maxAssetSize: 100_000, maxEntrypointSize: 100_000 },
};
