import { init } from "@footfall/sdk";

const footfall = init({
  writeKey: "demo",
  endpoint: location.origin,
  capture: ["page-views", "vitals"],
  twin: () => import("@footfall/sdk/twin"),
  vitals: () => import("@footfall/sdk/vitals"),
});
footfall.track("bundled", { by: "vite" });
