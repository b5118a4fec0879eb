import { init } from "@footfall/sdk/external";

const wasm = new URL("@footfall/sdk/footfall.wasm", import.meta.url);
init({ writeKey: "demo", endpoint: location.origin, wasm }).track("bundled", { by: "webpack, external" });
