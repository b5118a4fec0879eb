import posthog from "posthog-js";

posthog.init("phc_bench", {
  api_host: location.origin + "/sink",
  advanced_disable_decide: true,
  disable_external_dependency_loading: true,
  opt_out_useragent_filter: true,
});
