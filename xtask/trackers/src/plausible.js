import { init } from "@plausible-analytics/tracker";

init({ domain: "bench.example", endpoint: location.origin + "/sink", captureOnLocalhost: true });
