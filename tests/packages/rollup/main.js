import { init } from "@footfall/sdk";

init({ writeKey: "demo", endpoint: location.origin }).track("bundled", { by: "rollup" });
